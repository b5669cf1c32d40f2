import type { LeadlineError } from '../../errors.ts'
import type { KeyMeter, MeteredFrame, SpentRate } from './key-meter.ts'

/** The frames of one stream, or a single image, against the limits of its key. */
export class FrameFlow {
  readonly #meter: KeyMeter
  readonly #now: () => number
  readonly #onEnd: () => void
  readonly #bytes = new Map<number, number>()

  constructor(meter: KeyMeter, now: () => number, onEnd: () => void) {
    this.#meter = meter
    this.#now = now
    this.#onEnd = onEnd
  }

  /** Let a frame in, or say why not. */
  enter(seq: number, frame: MeteredFrame): LeadlineError | null {
    const refusal = this.#meter.enter(frame, this.#now())
    if (refusal === null) this.#bytes.set(seq, frame.bytes)
    return refusal
  }

  /** Of the rates, the one for which the next frame has to wait; null: none. */
  get spent(): SpentRate | null {
    return this.#meter.spent(this.#now())
  }

  settled(seq: number): void {
    this.#meter.leave(this.#bytes.get(seq) ?? 0)
    this.#bytes.delete(seq)
  }

  /** The stream is over here, whatever becomes of its frames. Twice without harm. */
  end(): void {
    for (const seq of [...this.#bytes.keys()]) this.settled(seq)
    this.#onEnd()
  }
}
