import type { Registry } from 'prom-client'
import { counter, histogram, watched } from '../../metering/meters.ts'
import type { Continuity } from '../../session.ts'
import { continuities, dropReasons } from '../../session.ts'
import type { FrameTracer } from '../../tracing/frame-tracer.ts'
import type { FrameOutcome } from '../../sessions/index.ts'

/** What a gateway counts of the frames of its streams, and who follows some of them. */
export class StreamMeter {
  readonly tracer: FrameTracer | null
  readonly #seconds
  readonly #send
  readonly #frames
  readonly #continuity

  constructor(registry: Registry, streams: { readonly size: number }, tracer: FrameTracer | null = null) {
    this.tracer = tracer
    this.#seconds = histogram(registry, 'leadline_frame_seconds')
    this.#send = histogram(registry, 'leadline_frame_stage_seconds')
    this.#frames = counter(registry, 'leadline_frames_total')
    this.#continuity = counter(registry, 'leadline_continuity_total')
    watched(registry, 'leadline_streams', (set) => set(streams.size))
    for (const kind of continuities) this.#continuity.inc({ kind }, 0)
    this.#frames.inc({ outcome: 'result', reason: '' }, 0)
    for (const reason of dropReasons) this.#frames.inc({ outcome: 'drop', reason }, 0)
  }

  /** A client was told what became of a frame. */
  told(outcome: FrameOutcome): void {
    const reason = outcome.type === 'drop' ? outcome.reason : outcome.type === 'error' ? outcome.code : ''
    this.#frames.inc({ outcome: outcome.type, reason })
  }

  /** A client was told what is left of the past of its session. */
  continued(kind: Continuity): void {
    this.#continuity.inc({ kind })
  }

  /** The depth map of a frame was handed to the socket. Milliseconds. */
  sent(whole: number, sending: number): void {
    this.#seconds.observe(whole / 1000)
    this.#send.observe({ stage: 'send' }, sending / 1000)
  }
}
