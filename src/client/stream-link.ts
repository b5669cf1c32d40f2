import { LeadlineError } from '../errors.ts'
import type { ValidFrame } from '../wire/frame.ts'
import { decodeMessage, kinds } from '../wire/frame.ts'
import type { ClientMessage, ServerMessage } from '../wire/protocol.ts'
import { closeFailure, serverFailure } from './server-failure.ts'
import { parseServerMessage } from './server-message.ts'
import type { ClientSocket } from './socket.ts'

export interface LinkListener {
  control(message: ServerMessage): void
  depth(map: ValidFrame): void
  context(part: ValidFrame): void
  /** The socket, or the session with it, is over. Nothing follows. */
  lost(error: LeadlineError): void
}

/** A close of ours that does not end the session; 1000 would. */
const comingBack = 4000

/** One open socket, as messages. */
export class StreamLink {
  readonly #socket: ClientSocket
  #listener: LinkListener | null

  constructor(socket: ClientSocket, listener: LinkListener) {
    this.#socket = socket
    this.#listener = listener
    socket.addEventListener('message', ({ data }) => this.#receive(data))
    socket.addEventListener('close', ({ code, reason }) => this.#lose(closeFailure(code, reason)))
  }

  /** From now on this one hears of it. */
  listen(listener: LinkListener): void {
    this.#listener = listener
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(message: ClientMessage | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message))
  }

  /** The stream is over: the server frees the session. Nobody hears of this socket any more. */
  end(): void {
    this.#listener = null
    this.#socket.close(1000)
  }

  /** Let go of the socket alone. Nobody hears of it any more. */
  leave(): void {
    this.#listener = null
    this.#socket.close(comingBack)
  }

  #receive(data: unknown): void {
    if (this.#listener === null) return
    try {
      if (typeof data !== 'string') return this.#receiveBinary(new Uint8Array(data as ArrayBuffer))
      const message = parseServerMessage(data)
      if (message === null) return
      if (message.type === 'error' && message.seq === undefined) this.#lose(serverFailure(message))
      else this.#listener.control(message)
    } catch (error) {
      this.#lose(
        error instanceof LeadlineError
          ? error
          : new LeadlineError('INTERNAL', String(error), { cause: error })
      )
    }
  }

  #receiveBinary(message: Uint8Array): void {
    const received = decodeMessage(message)
    if (received.header.kind === kinds.depth) this.#listener?.depth(received)
    if (received.header.kind === kinds.context) this.#listener?.context(received)
  }

  #lose(error: LeadlineError): void {
    const listener = this.#listener
    this.leave()
    listener?.lost(error)
  }
}
