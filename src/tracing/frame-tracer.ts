import type { FrameMeter } from '../metering/frame-stages.ts'

/** What is noted of one frame while it is at a gateway. Milliseconds of `performance.now()`. */
export interface FrameTrace {
  /** For its worker: W3C's Trace Context. */
  readonly traceparent: string
  /** Its outcome was handed to the socket. `madeMs`: when its depth map came; null: it has none. */
  end(told: { outcome: string; madeMs: number | null; sentMs: number }): void
}

/** Traces of some of the frames. Of a worker it is told what a frame went through; what has no trace it leaves out. */
export interface FrameTracer extends FrameMeter {
  /** A frame came to this gateway. Null: it is none of those that are looked at. */
  begin(cameMs: number, facts: { seq: number }): FrameTrace | null
  /** Sends what is noted still. Never rejects; twice without harm. */
  close(): Promise<void>
}
