import type { StreamMeter } from './stream-meter.ts'
import type { Outgoing } from './outbox.ts'
import { isOutcome } from './outbox.ts'

/** When the frames of one stream came, and their depth maps; of those that are on their way. */
export class FrameTimes {
  readonly #meter: StreamMeter
  /** By seq, in milliseconds of `performance.now()`; made null: no depth map yet. */
  readonly #times = new Map<number, { cameMs: number; madeMs: number | null }>()

  constructor(meter: StreamMeter) {
    this.#meter = meter
  }

  came(seq: number): void {
    this.#times.set(seq, { cameMs: performance.now(), madeMs: null })
  }

  /** Its depth map came from the worker. */
  made(seq: number): void {
    const times = this.#times.get(seq)
    if (times) times.madeMs = performance.now()
  }

  /** The client is told this; what is returned is called when the socket has taken it. */
  told(message: Outgoing): () => void {
    if (message.type === 'recovered') this.#meter.continued(message.continuity)
    if (!isOutcome(message)) return () => {}
    this.#meter.told(message)
    const times = this.#times.get(message.seq)
    this.#times.delete(message.seq)
    return () => {
      if (!times || times.madeMs === null) return
      const now = performance.now()
      this.#meter.sent(now - times.cameMs, now - times.madeMs)
    }
  }
}
