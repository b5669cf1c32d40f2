import { parseServerMessage } from '../../client/index.ts'
import { decodeMessage, flags, kinds } from '../../wire/frame.ts'
import type { ClientMessage, ConfigMessage, ReadyMessage } from '../../wire/protocol.ts'
import { parseClientMessage } from '../../wire/protocol.ts'
import { dropped } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import type { RecordingEntry } from './recording-line.ts'

/** What the client said behind its config, as far as it bears on what it got. */
export type Said = { ms: number } & (
  | { type: 'frame'; seq: number; message: Uint8Array<ArrayBuffer> }
  /** A part of what the session goes on from. */
  | { type: 'context'; message: Uint8Array<ArrayBuffer> }
  /** No message at all. */
  | { type: 'bytes'; message: Uint8Array<ArrayBuffer> }
  | { type: 'text'; text: string }
)

/** One session, over however many sockets, as if it had been one. */
export interface RecordedSession {
  id: string
  config: ConfigMessage
  ready: ReadyMessage
  said: Said[]
  /** By seq, in order. */
  outcomes: Map<number, Outcome>
  /** What ended it; null: the client did, or the recording. */
  endedBy: string | null
}

/** Those that were opened, in the order of their beginning. */
export function sessionsOf(entries: readonly RecordingEntry[]): RecordedSession[] {
  const bySocket = new Map<number, Builder>()
  const byId = new Map<string, Builder>()
  for (const entry of entries) {
    if ('closedBy' in entry) continue
    const builder = bySocket.get(entry.socket)
    if (entry.from === 'server') builder?.heard(entry)
    else if (builder) builder.told(entry)
    else {
      const config = configOf(entry)
      const found = config?.resume ? byId.get(config.resume.session) : config && new Builder(config, byId)
      if (!found) continue
      found.takeSocket()
      bySocket.set(entry.socket, found)
    }
  }
  return [...byId.values()].map(({ session }) => session)
}

type Message = Exclude<RecordingEntry, { closedBy: unknown }>

class Builder {
  readonly #config: ConfigMessage
  readonly #byId: Map<string, Builder>
  #session: RecordedSession | null = null
  readonly #said: Said[] = []
  readonly #once = new Set<string>()
  #lastSeq = -1
  #sockets = 0
  /** What was said before, and not answered, is said again over another socket before anything new. */
  #isRepeating = false

  constructor(config: ConfigMessage, byId: Map<string, Builder>) {
    this.#config = config
    this.#byId = byId
  }

  get session(): RecordedSession {
    return this.#session!
  }

  takeSocket(): void {
    this.#isRepeating = this.#sockets > 0
    this.#sockets += 1
  }

  told(entry: Message): void {
    const { ms } = entry
    if ('base64' in entry) return this.#toldBytes(ms, Uint8Array.from(Buffer.from(entry.base64, 'base64')))
    const message = clientMessage(entry.text)
    if (message !== null && !this.#bears(message)) return
    this.#said.push({ ms, type: 'text', text: entry.text })
  }

  heard(entry: Message): void {
    if ('base64' in entry) return this.#heardBytes(Uint8Array.from(Buffer.from(entry.base64, 'base64')))
    const message = parseServerMessage(entry.text)
    if (message?.type === 'ready') return this.#begin(message)
    if (message?.type === 'drop') this.#outcome(message.seq, dropped(message))
    if (message?.type !== 'error') return
    if (message.seq !== undefined) this.#outcome(message.seq, { type: 'error', code: message.code })
    else if (this.#session) this.#session.endedBy = message.code
  }

  #begin(ready: ReadyMessage): void {
    if (this.#session) this.#session.endedBy = null
    else {
      const { session: id } = ready
      const outcomes = new Map<number, Outcome>()
      this.#session = { id, config: this.#config, ready, said: this.#said, outcomes, endedBy: null }
      this.#byId.set(id, this)
    }
  }

  #toldBytes(ms: number, message: Uint8Array<ArrayBuffer>): void {
    const header = headerOf(message)
    if (header?.kind !== kinds.frame) {
      const type = header?.kind === kinds.context ? 'context' : 'bytes'
      return void this.#said.push({ ms, type, message })
    }
    const { seq } = header
    if (header.flags & flags.history || (this.#sockets > 1 && seq <= this.#lastSeq)) return
    this.#lastSeq = seq
    this.#isRepeating = false
    this.#said.push({ ms, type: 'frame', seq, message })
  }

  #heardBytes(message: Uint8Array): void {
    const header = headerOf(message)
    if (header?.kind === kinds.depth) this.#outcome(header.seq, { type: 'depth', message })
  }

  /** The first counts: what is told again is the same. */
  #outcome(seq: number, outcome: Outcome): void {
    if (this.#session && !this.#session.outcomes.has(seq)) this.#session.outcomes.set(seq, outcome)
  }

  /** What has to do with the socket alone is said by whoever replays it. */
  #bears(message: ClientMessage): boolean {
    switch (message.type) {
      case 'ack':
      case 'credit':
      case 'detach':
      case 'ping':
      case 'replayed':
        return false
      case 'reset':
        return !this.#isRepeating
      case 'flush':
      case 'update':
      case 'checkpoint':
      case 'close':
        return this.#isNew(JSON.stringify(message))
      case 'config':
        return true
    }
  }

  #isNew(words: string): boolean {
    if (this.#isRepeating && this.#once.has(words)) return false
    this.#once.add(words)
    return true
  }
}

function configOf(entry: Message): ConfigMessage | null {
  const message = 'text' in entry ? clientMessage(entry.text) : null
  return message?.type === 'config' ? message : null
}

function clientMessage(text: string): ClientMessage | null {
  try {
    return parseClientMessage(text)
  } catch {
    return null
  }
}

function headerOf(message: Uint8Array): ReturnType<typeof decodeMessage>['header'] | null {
  try {
    return decodeMessage(message).header
  } catch {
    return null
  }
}
