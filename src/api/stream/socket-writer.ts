import { LeadlineError } from '../../errors.ts'
import type { ServerMessage } from '../../wire/protocol.ts'
import { Deadline } from '../deadline.ts'
import type { Backlog } from './backlogs.ts'
import type { StreamSocket } from './socket.ts'

/** Above this many unsent bytes the socket counts as having no credit. */
const maxBufferedBytes = 2 ** 20
/** A socket that takes no message for this long while others wait is given up. */
const slowConsumerMs = 30_000

export interface SocketWriterOptions {
  socket: StreamSocket
  /** Where what waits for the client counts. @default nowhere */
  openBacklog?: ((onExcess: (error: LeadlineError) => void) => Backlog) | undefined
  /** A message has left. */
  onSent(): void
  /** None leaves any more. */
  onStuck(error: LeadlineError): void
}

/** What leaves by one socket: no more than it takes, and nothing after its close. */
export class SocketWriter {
  readonly #options: SocketWriterOptions
  readonly #stuck = new Deadline()
  readonly #backlog: Backlog | null
  #isClosed = false

  constructor(options: SocketWriterOptions) {
    this.#options = options
    this.#backlog = options.openBacklog?.((error) => options.onStuck(error)) ?? null
  }

  /** Whether the socket takes no more just now. */
  get isCongested(): boolean {
    return this.#options.socket.bufferedBytes > maxBufferedBytes
  }

  /** `onTaken` is called when the socket has taken it. */
  write(message: string | Uint8Array, onTaken?: () => void): void {
    this.#options.socket.send(message, () => {
      this.#stuck.clear()
      onTaken?.()
      if (!this.#isClosed) this.#options.onSent()
    })
  }

  say(message: ServerMessage): void {
    this.write(JSON.stringify(message))
  }

  /** What waits to be written, in messages and the bytes of those that are depth maps. */
  watch({ queued, queuedBytes }: { queued: number; queuedBytes: number }): void {
    this.#backlog?.hold(queuedBytes + this.#options.socket.bufferedBytes, queued > 0 && this.isCongested)
    if (queued === 0 || this.#isClosed || !this.isCongested || this.#stuck.isSet) return
    const slow = new LeadlineError('SLOW_CONSUMER', `No message could be sent for ${slowConsumerMs} ms`)
    this.#stuck.set(slowConsumerMs, () => this.#options.onStuck(slow))
  }

  /** Look at the socket no more; last words may follow. */
  stop(): void {
    this.#isClosed = true
    this.#stuck.clear()
    this.#backlog?.close()
  }
}
