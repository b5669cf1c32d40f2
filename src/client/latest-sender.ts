import type { ClientSocket } from './client-socket.ts'

/** Above this many unsent bytes the network is slower than the source; at 5 Mbit/s they take a tenth of a second. */
const maxBufferedBytes = 65_536
/** A server that gives no outcomes gets no more frames than these: two seconds of a camera. */
const maxUnsettled = 64
/** A socket does not say when it has sent its bytes; it is asked this often while a frame waits. */
const pollMs = 5

interface LatestSenderOptions {
  socket: ClientSocket
  /** Frames without outcome, those given to `send` among them. */
  unsettled: () => number
  /** The frame will not be sent, for a newer one took its place. */
  onSuperseded: (seq: number) => void
}

/**
 * Sends frames of which only the newest matters: one that the network has no room for waits here, and gives way to the next
 * one that comes.
 */
export class LatestSender {
  readonly #options: LatestSenderOptions
  #waiting: { seq: number; message: Uint8Array<ArrayBuffer> } | null = null
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(options: LatestSenderOptions) {
    this.#options = options
  }

  send(seq: number, message: Uint8Array<ArrayBuffer>): void {
    const old = this.#waiting
    this.#waiting = { seq, message }
    if (old !== null) this.#options.onSuperseded(old.seq)
    this.look()
  }

  /** Send what waits if there is room; else look again a little later. */
  look(): void {
    const { socket, unsettled } = this.#options
    if (this.#waiting === null) return
    if (socket.bufferedAmount <= maxBufferedBytes && unsettled() <= maxUnsettled) return this.flush()
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.look()
    }, pollMs)
  }

  /** Send what waits, whether there is room or not: something follows that must come after it. */
  flush(): void {
    const waiting = this.#waiting
    this.stop()
    if (waiting !== null) this.#options.socket.send(waiting.message)
  }

  /** Forget what waits. */
  stop(): void {
    this.#waiting = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
