import { once } from 'node:events'
import WebSocket from 'ws'
import { decodeMessage } from '../../src/wire/frame.ts'
import type { Header } from '../../src/wire/frame.ts'
import { subprotocol } from '../../src/wire/control-text.ts'

/** A text message as it comes, so that members which are new need no new type here. */
export type Told = { type: string } & Record<string, unknown>

export interface RawSocketHandlers {
  onTold: (message: Told) => void
  onDepth: (header: Header, payload: Uint8Array) => void
  /** Once. `byUs`: `crash` or `end` was called before. */
  onClosed: (end: { code: number; reason: string; byUs: boolean }) => void
}

const connectTimeoutMs = 4000

/** A WebSocket and nothing more. */
export class RawSocket {
  readonly #ws: WebSocket
  #byUs = false

  /** Null when nobody answers. */
  static async connect(url: string, handlers: RawSocketHandlers): Promise<RawSocket | null> {
    const address = `${url.replace('http', 'ws')}/v1/stream`
    const ws = new WebSocket(address, subprotocol, {
      handshakeTimeout: connectTimeoutMs,
      perMessageDeflate: false
    })
    ws.on('error', () => {})
    try {
      await once(ws, 'open')
    } catch {
      return null
    }
    return new RawSocket(ws, handlers)
  }

  private constructor(ws: WebSocket, { onClosed, onDepth, onTold }: RawSocketHandlers) {
    this.#ws = ws
    ws.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return onTold(JSON.parse(data.toString()) as Told)
      const { header, payload } = decodeMessage(data)
      onDepth(header, payload)
    })
    ws.on('close', (code, reason) => onClosed({ code, reason: reason.toString(), byUs: this.#byUs }))
  }

  say(message: object): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(JSON.stringify(message))
  }

  send(frame: Uint8Array): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(frame)
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount
  }

  /** Read nothing, as an application that hangs. */
  pause(): void {
    this.#ws.pause()
  }

  resume(): void {
    this.#ws.resume()
  }

  /** As a process that dies. */
  crash(): void {
    this.#byUs = true
    this.#ws.terminate()
  }
}
