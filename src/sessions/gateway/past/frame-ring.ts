import type { ValidFrame } from '../../../wire/frame.ts'
import type { ReplayShape } from '../../../session.ts'

/** What one ring holds at most: it goes to another worker in one piece. */
const mostBytes = 64 * 2 ** 20
/** What a frame costs beside its bytes, so that many small ones are not free. */
const overheadBytes = 512

export function frameBytes({ message }: ValidFrame): number {
  return message.byteLength + overheadBytes
}

/** The last frames that a session's latent cache has seen, as they were received. It holds references and copies nothing. */
export class FrameRing {
  readonly #shape: ReplayShape
  #first: ValidFrame | null = null
  #recent: ValidFrame[] = []
  #bytes = 0

  constructor(shape: ReplayShape) {
    this.#shape = shape
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What is too old goes. */
  push(frame: ValidFrame): void {
    const { keepsFirst, recent } = this.#shape
    if (recent === 0) return
    this.#bytes += frameBytes(frame)
    if (keepsFirst && !this.#first && this.#recent.length === 0) this.#first = frame
    else this.#recent.push(frame)
    if (this.#recent.length > recent) this.#dropOldest()
    this.shrinkTo(mostBytes)
  }

  /** Give the oldest until no more than this is held. */
  shrinkTo(bytes: number): void {
    while (this.#bytes > bytes && this.#recent.length > 0) this.#dropOldest()
    if (this.#bytes > bytes) this.clear()
  }

  clear(): void {
    this.#first = null
    this.#recent = []
    this.#bytes = 0
  }

  /** In the order in which they were seen. */
  list(): ValidFrame[] {
    return this.#first ? [this.#first, ...this.#recent] : [...this.#recent]
  }

  #dropOldest(): void {
    const dropped = this.#recent.shift()
    if (dropped) this.#bytes -= frameBytes(dropped)
  }
}
