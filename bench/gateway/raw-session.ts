import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { subprotocol } from '../../src/wire/control-text.ts'
import { clientFrame, masked, messageOf, pong, ServerMessages } from './wire.ts'

/** As the SDK acknowledges, and grants as many. */
const ackEvery = 8
/** Where a message has its seq, of 8 bytes: PROTOCOL.md. */
const seqOffset = 8

export interface RawSessionOptions {
  port: number
  /** A server that answers every message with a depth map and knows nothing of sessions. */
  isBare: boolean
  frameBytes: number
  onDepth: (latencyMs: number) => void
}

/** One session of a client that costs next to nothing: frames are masked beforehand, and what comes is counted, not read. */
export class RawSession {
  readonly #options: RawSessionOptions
  readonly #socket: Socket
  readonly #frame: Buffer
  readonly #frameAt: number
  readonly #sentAtMs: number[] = []
  #seq = 0
  #received = 0

  /** Resolves when it may send. Rejects with what came instead of `ready`. */
  static async open(options: RawSessionOptions): Promise<RawSession> {
    const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    socket.write(
      `GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        `Sec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`
    )
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (!answer.toString().startsWith('HTTP/1.1 101')) throw new Error(answer.toString())
    return new Promise((resolve, reject) => {
      const session: RawSession = new RawSession(socket, options, (told) => {
        if (JSON.parse(told).type === 'ready') resolve(session)
        else reject(new Error(told))
      })
      if (options.isBare) resolve(session)
      else {
        const config = { type: 'config', delivery: 'lossless', resumable: true, credit: 64 }
        socket.write(clientFrame(JSON.stringify(config)))
      }
    })
  }

  private constructor(socket: Socket, options: RawSessionOptions, onText: (text: string) => void) {
    this.#options = options
    this.#socket = socket
    const message = messageOf('frame', options.frameBytes)
    this.#frame = clientFrame(message)
    this.#frameAt = this.#frame.byteLength - message.byteLength + seqOffset
    const messages = new ServerMessages({
      ...{ onBinary: () => this.#onDepth(), onText },
      onPing: () => void socket.write(pong)
    })
    socket.on('data', (piece) => messages.push(piece))
    socket.on('error', () => {})
  }

  get waiting(): number {
    return this.#sentAtMs.length
  }

  send(): void {
    const frame = Buffer.from(this.#frame)
    frame.writeBigUInt64LE(BigInt(this.#seq++), this.#frameAt)
    masked(frame.subarray(this.#frameAt, this.#frameAt + 8))
    this.#sentAtMs.push(performance.now())
    this.#socket.write(frame)
  }

  close(): void {
    this.#socket.destroy()
  }

  #onDepth(): void {
    const sentAtMs = this.#sentAtMs.shift() ?? NaN
    this.#received++
    if (!this.#options.isBare && this.#received % ackEvery === 0) {
      this.#socket.write(clientFrame(JSON.stringify({ type: 'ack', seq: this.#received - 1 })))
      this.#socket.write(clientFrame(JSON.stringify({ type: 'credit', results: ackEvery })))
    }
    this.#options.onDepth(performance.now() - sentAtMs)
  }
}
