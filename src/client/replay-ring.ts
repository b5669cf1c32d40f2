import { flags, setFlag } from '../wire/frame.ts'
import type { EncodedFrame } from './flight.ts'

/** What the server asks to see again. */
export interface ReplayWish {
  frames: number
  bytes: number
}

/**
 * The last frames that the latent cache has seen, as they were sent: from them a server that lost it can make it anew.
 * Oldest first; the oldest go when there are too many, or too many bytes.
 */
export class ReplayRing {
  readonly #maxBytes: number
  #maxFrames = 0
  #frames: EncodedFrame[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** How many frames help to make a cache anew. */
  keep(frames: number): void {
    this.#maxFrames = frames
    this.#trim()
  }

  /** The frame has its depth map. */
  push(frame: EncodedFrame): void {
    this.#frames.push(frame)
    this.#bytes += frame.message.byteLength
    this.#trim()
  }

  /** A new epoch: no later depth map depends on what was before. */
  clear(): void {
    this.#frames = []
    this.#bytes = 0
  }

  /** The last of them, oldest first, marked as history. */
  replay({ frames, bytes }: ReplayWish): Uint8Array<ArrayBuffer>[] {
    let left = bytes
    const newestFirst = this.#frames.toReversed().slice(0, frames)
    const count = newestFirst.findIndex(({ message }) => (left -= message.byteLength) < 0)
    return newestFirst
      .slice(0, count < 0 ? undefined : count)
      .toReversed()
      .map(({ message }) => {
        setFlag(message, flags.history)
        return message
      })
  }

  #trim(): void {
    while (this.#frames.length > this.#maxFrames || this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#frames.shift()?.message.byteLength ?? 0
    }
  }
}
