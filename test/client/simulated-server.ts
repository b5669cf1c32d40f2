import { createHash } from 'node:crypto'
import type { ClientSocket } from '../../src/client/socket.ts'
import { LeadlineError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage, flags, kinds } from '../../src/wire/frame.ts'
import type { ClientMessage } from '../../src/wire/protocol.ts'
import { parseClientMessage } from '../../src/wire/protocol.ts'

type Listener = (event: never) => void

/** A socket that brings a message only when it is told to. */
class SimulatedSocket implements ClientSocket {
  binaryType = ''
  bufferedAmount = 0
  readonly up: (string | Uint8Array)[] = []
  readonly down: (string | Uint8Array)[] = []
  readonly #listeners = new Map<string, Listener[]>()
  isOpen = true

  send(message: string | Uint8Array): void {
    if (this.isOpen) this.up.push(message)
  }

  /** As a real one: what was sent before goes first, and "close" comes later. */
  close(code = 1005): void {
    if (this.isOpen) this.up.push(`close ${code}`)
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  deliver(message: string | Uint8Array): void {
    const data = typeof message === 'string' ? message : message.slice().buffer
    this.#tell('message', { data })
  }

  end(code: number, reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#tell('close', { code, reason })
  }

  #tell(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never)
  }
}

/** What the session's worker would have: it outlives every socket. */
interface SimulatedSession {
  tokens: string[]
  chain: Buffer
  epoch: number
  after: number
  waiting: (Uint8Array | 'reset' | { flush: string })[]
  /** Told and not acknowledged, in order. */
  kept: { seq: number; message: string | Uint8Array }[]
  lastSeq: number
  closing: boolean
}

const limits = { maxInFlight: 6, maxFrameBytes: 1e6, maxPixels: 1e6, idleTimeoutMs: 1e6, graceMs: 60_000 }

/** One resumable session behind sockets that do what a test says. Throws where a client breaks the protocol. */
export class SimulatedServer {
  readonly sockets: SimulatedSocket[] = []
  /** Attempts that meet nobody. */
  refusals = 0
  retryAfterMs = 0
  attempts = 0
  /** What of the past is asked for. */
  replay: { frames: number; bytes: number } | null = null
  session: SimulatedSession | null = null
  #attached: SimulatedSocket | null = null
  #credit = 0
  #queue: { seq: number; message: string | Uint8Array; isResult: boolean }[] = []
  #tokens = 0
  #isLossless = false

  async dial(): Promise<ClientSocket> {
    this.attempts++
    if (this.refusals > 0) {
      this.refusals--
      throw new LeadlineError('CONNECTION_LOST', 'nobody is there', { retryAfterMs: this.retryAfterMs })
    }
    const socket = new SimulatedSocket()
    this.sockets.push(socket)
    return socket
  }

  /** Bring messages of every socket, at most so many each way. */
  carry(up: number, down: number): void {
    for (const socket of [...this.sockets]) {
      for (const message of socket.up.splice(0, up)) this.#receive(socket, message)
      for (const message of socket.down.splice(0, down)) socket.deliver(message)
    }
  }

  /** Break every socket: of what is on its way so much arrives, the rest is lost. */
  cut(up: number, down: number): void {
    this.carry(up, down)
    for (const socket of this.sockets.splice(0)) {
      if (this.#attached === socket) this.#attached = null
      socket.end(1006, '')
    }
  }

  /** What is on its way here, in short. */
  sent(): string[] {
    return this.sockets.flatMap(({ up }) =>
      up.map((message) => {
        if (typeof message === 'string') return (JSON.parse(message) as { type: string }).type
        const { seq, flags: set } = decodeMessage(message).header
        return `${(set & flags.history) === 0 ? 'frame' : 'history'} ${seq}`
      })
    )
  }

  /** Another client takes the session. */
  replace(): void {
    if (this.#attached !== null) this.#refuse(this.#attached, 'SESSION_REPLACED', 4509)
  }

  goAway(): void {
    this.#attached?.down.push(JSON.stringify({ type: 'goAway', timeLeftMs: 1000 }))
  }

  /** Make outcomes of what waits, so many. */
  make(count: number): void {
    const { session } = this
    if (session === null) return
    for (const item of session.waiting.splice(0, count)) {
      if (item === 'reset') {
        session.chain = Buffer.from('start')
        session.epoch++
        this.#tell(session.lastSeq, { type: 'reset', epoch: session.epoch, seq: null, reason: 'client' })
      } else if ('flush' in item) this.#tell(session.lastSeq, { type: 'flushed', id: item.flush })
      else this.#step(session, item)
    }
    this.#pump()
  }

  #step(session: SimulatedSession, message: Uint8Array): void {
    const { header, payload } = decodeMessage(message)
    session.chain = createHash('sha256').update(session.chain).update(payload).digest()
    const made = { ...header, kind: kinds.depth, codec: 'raw' as const, epoch: session.epoch }
    session.lastSeq = header.seq
    this.#tell(header.seq, encodeMessage(made, session.chain))
  }

  #tell(seq: number, what: object | Uint8Array): void {
    const message = what instanceof Uint8Array ? what : JSON.stringify(what)
    this.session?.kept.push({ seq, message })
    this.#queue.push({ seq, message, isResult: what instanceof Uint8Array })
  }

  #receive(socket: SimulatedSocket, message: string | Uint8Array): void {
    if (typeof message === 'string' && message.startsWith('close ')) return this.#closed(socket, message)
    if (!socket.isOpen) return
    if (typeof message !== 'string') return this.#frame(socket, message)
    const said = parseClientMessage(message)
    if (said.type === 'config') return this.#greet(socket, said)
    if (socket !== this.#attached || this.session === null) return
    this.session.tokens.splice(0, this.session.tokens.length - 1)
    this.#command(this.session, said)
    this.#pump()
  }

  #frame(socket: SimulatedSocket, message: Uint8Array): void {
    const { session } = this
    if (socket !== this.#attached || session === null) return
    session.tokens.splice(0, session.tokens.length - 1)
    const { seq } = decodeMessage(message).header
    if (seq <= session.after) throw new Error(`frame ${seq} came again after ${session.after}`)
    const unsettled = session.waiting.filter((item) => item instanceof Uint8Array).length
    if (this.#isLossless && unsettled >= limits.maxInFlight) throw new Error('too many frames')
    session.after = seq
    session.waiting.push(message)
  }

  #command(session: SimulatedSession, said: ClientMessage): void {
    if (said.type === 'credit') this.#credit += said.results
    if (said.type === 'ack') forget(session, said.seq)
    if (said.type === 'reset') session.waiting.push('reset')
    if (said.type === 'flush') session.waiting.push({ flush: said.id ?? '' })
    if (said.type === 'close') session.closing = true
  }

  #greet(socket: SimulatedSocket, config: Extract<ClientMessage, { type: 'config' }>): void {
    const { resume } = config
    if (resume === undefined) {
      this.#isLossless = config.delivery === 'lossless'
      const fresh = { tokens: [], chain: Buffer.from('start'), epoch: 1, after: -1, waiting: [], kept: [] }
      this.session = { ...fresh, lastSeq: -1, closing: false }
    }
    const { session } = this
    if (session === null || (resume !== undefined && !session.tokens.includes(resume.token))) {
      return this.#refuse(socket, 'SESSION_UNKNOWN', 4590)
    }
    if (this.#attached !== null) this.#refuse(this.#attached, 'SESSION_REPLACED', 4509)
    this.#attached = socket
    this.#credit = config.credit ?? Infinity
    session.tokens = [...(resume === undefined ? [] : [resume.token]), `token ${this.#tokens++}`]
    if (resume !== undefined) forget(session, resume.seq)
    const resumed = {
      continuity: 'exact',
      ...{ digest: null, seq: -1 },
      after: session.after,
      ...(this.replay && { replay: this.replay })
    }
    socket.down.push(
      JSON.stringify({
        ...{ type: 'ready', session: 's_1', resumeToken: session.tokens.at(-1), epoch: session.epoch },
        ...{ model: 'm', modelDigest: 'd', license: 'MIT', quantity: 'relative-inverse-depth' },
        ...{ mode: 'ovda', cacheSize: 8, limits, ...(resume === undefined ? {} : { resumed }) }
      })
    )
    this.#queue = session.kept.map((kept) => ({ ...kept, isResult: typeof kept.message !== 'string' }))
    this.#pump()
  }

  #pump(): void {
    const { session } = this
    if (this.#attached === null || session === null) return
    while (this.#queue[0] !== undefined && (!this.#queue[0].isResult || this.#credit > 0)) {
      const next = this.#queue.shift()!
      if (next.isResult) this.#credit--
      this.#attached.down.push(next.message)
    }
    const isDone = session.closing && session.waiting.length === 0 && this.#queue.length === 0
    if (!isDone || session.kept.some(({ message }) => typeof message !== 'string')) return
    const counts = { frames: 0, results: 0, drops: 0, errors: 0, seconds: 0 }
    this.#attached.down.push(JSON.stringify({ type: 'summary', ...counts }))
    this.session = null
  }

  #refuse(socket: SimulatedSocket, code: string, close: number): void {
    socket.end(close, code)
    if (this.#attached === socket) this.#attached = null
  }

  #closed(socket: SimulatedSocket, message: string): void {
    if (this.#attached === socket) {
      this.#attached = null
      if (message === 'close 1000') this.session = null
    }
    socket.end(Number(message.slice(6)), '')
  }
}

/** The client has every outcome through this one; what stands behind the last it may lack. */
function forget(session: SimulatedSession, through: number): void {
  session.kept = session.kept.filter(
    ({ seq, message }) => seq > through || (seq === through && typeof message === 'string')
  )
}
