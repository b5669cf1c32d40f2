import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import WebSocket from 'ws'
import { codes, faultOf } from './contract.ts'
import { holds } from './check.ts'
import type { Binary } from './wire.ts'
import { decode, kinds } from './wire.ts'

export type Told = { type: string; [member: string]: unknown }
export type Depth = Told & Binary
export type Message = Told | Depth

export interface Shown {
  protocols?: readonly string[]
  headers?: Record<string, string>
}

/** The handshake was answered by HTTP. */
export class Refused extends Error {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headers']

  constructor(response: IncomingMessage, body: string) {
    super(`the handshake was refused with ${response.statusCode}: ${body.slice(0, 200)}`)
    this.status = response.statusCode ?? 0
    this.body = body
    this.headers = response.headers
  }
}

/** Frames that were sent, over whatever sockets, and the last that has its outcome: who came back brings it along. */
export class Ledger {
  readonly sent = new Set<number>()
  settled = -1

  /** As the client was when it had the outcome of `seq`. */
  backAt(seq: number): Ledger {
    const ledger = new Ledger()
    for (const one of this.sent) ledger.sent.add(one)
    ledger.settled = seq
    return ledger
  }
}

const outcomes = new Set(['depth', 'drop', 'error'])

export function isOutcome(message: Message): message is Message & { seq: number } {
  return outcomes.has(message.type) && typeof message.seq === 'number'
}

/**
 * One socket. Whatever comes over it is held to its form, and to clauses C5, C7 and E1, whatever the check is about. Waits
 * no longer than `patienceMs` for anything.
 */
export class Peer {
  readonly ws: WebSocket
  readonly #patienceMs: number
  readonly #queue: Message[] = []
  readonly #ledger: Ledger
  #fault: Error | null = null
  #closed: { code: number; reason: string } | null = null
  #wake: () => void = () => undefined
  #ended: Told | null = null

  static async connect(
    url: string,
    shown: Shown,
    { patienceMs, ledger = new Ledger() }: { patienceMs: number; ledger?: Ledger | undefined }
  ): Promise<Peer> {
    const { protocols = ['leadline.v1'], headers = {} } = shown
    const ws = new WebSocket(url, [...protocols], { headers, handshakeTimeout: patienceMs })
    const peer = new Peer(ws, patienceMs, ledger)
    await new Promise<void>((resolve, reject) => {
      ws.on('open', resolve)
      ws.on('error', reject)
      ws.on('unexpected-response', (_, response: IncomingMessage) => {
        void response.toArray().then((parts) => {
          reject(new Refused(response, Buffer.concat(parts).toString()))
          ws.terminate()
        }, reject)
      })
    })
    return peer
  }

  private constructor(ws: WebSocket, patienceMs: number, ledger: Ledger) {
    this.ws = ws
    this.#patienceMs = patienceMs
    this.#ledger = ledger
    ws.on('message', (data: Buffer, isBinary) => this.#receive(data, isBinary))
    ws.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() }
      this.#wake()
    })
  }

  /** The one that the server chose. */
  get subprotocol(): string {
    return this.ws.protocol
  }

  get ledger(): Ledger {
    return this.#ledger
  }

  /** Bytes are a frame, unless `isFrame` says otherwise. */
  send(message: object | string | Uint8Array, { isFrame = true } = {}): void {
    if (message instanceof Uint8Array) {
      if (isFrame) this.#ledger.sent.add(decode(message).seq)
      this.ws.send(message)
    } else this.ws.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** Bytes on the socket itself, past WebSocket. */
  raw(...bytes: number[]): void {
    ;(this.ws as unknown as { _socket: Socket })._socket.write(Buffer.from(bytes))
  }

  cut(): void {
    this.ws.terminate()
  }

  /** The next message; throws when the stream ends, or nothing comes. */
  async next(): Promise<Message> {
    const message = await this.#take('a message')
    holds(message !== null, `the stream ended with ${JSON.stringify(this.#closed)}, where a message was due`)
    return message
  }

  /** The next message, which must be this one. */
  async expect(type: string): Promise<Told> {
    const message = await this.next()
    holds(message.type === type, `"${type}" was due, and this came: ${describe(message)}`)
    return message as Told
  }

  async depth(): Promise<Depth> {
    const message = await this.next()
    holds(message.type === 'depth', `a depth map was due, and this came: ${describe(message)}`)
    return message as Depth
  }

  /** So many messages. */
  async take(count: number): Promise<Message[]> {
    const all: Message[] = []
    while (all.length < count) all.push(await this.next())
    return all
  }

  /** What comes up to the first of this type, with it. */
  async until(type: string): Promise<Message[]> {
    const all: Message[] = []
    do all.push(await this.next())
    while (all.at(-1)?.type !== type)
    return all
  }

  /** The outcomes of so many frames; what stands between them is passed over. */
  async outcomes(count: number): Promise<(Message & { seq: number })[]> {
    const all: (Message & { seq: number })[] = []
    while (all.length < count) {
      const message = await this.next()
      if (isOutcome(message)) all.push(message)
    }
    return all
  }

  /** What is left until the socket is closed. */
  async rest(): Promise<Message[]> {
    const all: Message[] = []
    for (;;) {
      const message = await this.#take('the close')
      if (message === null) return all
      all.push(message)
    }
  }

  /** The stream ends with this error, whose code the close carries too. Gives what came before it, and the error. */
  async endsWith(code: string): Promise<{ before: Message[]; error: Told }> {
    const all = await this.rest()
    const error = all.at(-1) as Told | undefined
    const isEnd = error?.type === 'error' && error.seq === undefined && error.code === code
    holds(
      isEnd,
      `the stream was to end with ${code}, and did with ${describe(error)} ${JSON.stringify(this.#closed)}`
    )
    return { before: all.slice(0, -1), error }
  }

  async closed(): Promise<{ code: number; reason: string }> {
    await this.rest()
    return this.#closed ?? { code: 0, reason: '' }
  }

  async #take(what: string): Promise<Message | null> {
    const untilMs = performance.now() + this.#patienceMs
    for (;;) {
      const next = this.#queue.shift()
      if (next !== undefined) return next
      if (this.#fault !== null) throw this.#fault
      if (this.#closed !== null) return null
      const leftMs = untilMs - performance.now()
      holds(leftMs > 0, `${what} was due, and nothing came for ${this.#patienceMs} ms`)
      await this.#woken(leftMs)
    }
  }

  #woken(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #receive(data: Buffer, isBinary: boolean): void {
    try {
      const message = isBinary ? binary(data) : text(data)
      this.#hold(message)
      this.#queue.push(message)
    } catch (error) {
      this.#fault ??= error as Error
    }
    this.#wake()
  }

  /** What must hold of every message. */
  #hold(message: Message): void {
    holds(this.#ended === null, `C6: ${describe(message)} came after the error that ended the stream`)
    if (message.type === 'error' && message.seq === undefined) return this.#holdEnd(message as Told)
    if (!isOutcome(message)) return
    const { sent, settled } = this.#ledger
    holds(sent.has(message.seq), `C5: an outcome of frame ${message.seq}, which was not sent`)
    holds(message.seq > settled, `C5: the outcome of frame ${message.seq} came after that of ${settled}`)
    this.#ledger.settled = message.seq
  }

  #holdEnd(error: Told): void {
    this.#ended = error
    const code = codes[String(error.code)]
    if (code === undefined) return
    holds(
      code.temporary === error.temporary,
      `E1: ${error.code} says that it is temporary: ${error.temporary}`
    )
    this.ws.on('close', (close, reason) => {
      const found = `${close} ${reason.toString()}`
      const wanted = `${code.close} ${error.code}`
      if (found !== wanted) this.#fault ??= new Error(`C7, E1: the close is ${found} instead of ${wanted}`)
      this.#wake()
    })
  }
}

function binary(data: Buffer): Depth {
  const message = decode(data)
  return { type: message.kind === kinds.context ? 'context' : 'depth', ...message }
}

function text(data: Buffer): Told {
  const message = JSON.parse(data.toString()) as Told
  const fault = faultOf(message)
  if (fault !== null) throw new Error(fault)
  return message
}

/** In a few words. */
export function describe(message: Message | undefined): string {
  if (message === undefined) return 'nothing'
  if (message.type === 'depth' || message.type === 'context') return `${message.type} ${message.seq}`
  return JSON.stringify(message).slice(0, 200)
}

/** Each message as a word and what tells it apart. */
export function inShort(messages: readonly Message[]): string[] {
  return messages.map((message) => {
    const { type, seq, reason, code } = message as Told
    return [type, seq ?? undefined, reason, code].filter((part) => part !== undefined).join(' ')
  })
}
