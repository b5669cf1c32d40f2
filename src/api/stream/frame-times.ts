import type { ValidFrame } from '../../wire/frame.ts'
import type { FrameTrace } from '../../tracing/frame-tracer.ts'
import type { StreamMeter } from './stream-meter.ts'
import type { Outgoing } from './outbox.ts'
import { isOutcome } from './outbox.ts'

/** When the frames of one stream came, and their depth maps; of those that are on their way. */
export class FrameTimes {
  readonly #meter: StreamMeter
  /** By seq, in milliseconds of `performance.now()`; made null: no depth map yet. */
  readonly #times = new Map<number, { cameMs: number; madeMs: number | null; trace: FrameTrace | null }>()

  constructor(meter: StreamMeter) {
    this.#meter = meter
  }

  /** From here on the frame carries its trace, if it has one. */
  came(frame: ValidFrame): void {
    const { seq } = frame.header
    const cameMs = performance.now()
    const trace = this.#meter.tracer?.begin(cameMs, { seq }) ?? null
    if (trace) frame.traceparent = trace.traceparent
    this.#times.set(seq, { cameMs, madeMs: null, trace })
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
      if (!times) return
      const { cameMs, madeMs, trace } = times
      const sentMs = performance.now()
      trace?.end({ outcome: message.type, madeMs, sentMs })
      if (madeMs !== null) this.#meter.sent(sentMs - cameMs, sentMs - madeMs)
    }
  }
}
