import type { LeadlineError } from '../errors.ts'
import type { Header } from '../wire/frame.ts'
import type { DropReason } from '../session.ts'

interface Settled {
  seq: number
  /** From `send` to the arrival of the outcome, in milliseconds. */
  latencyMs: number
}

export interface DepthResult extends Settled {
  type: 'result'
  header: Header
  payload: Uint8Array
  /** The frame shows nothing: its depth means little, and no later one depends on it. */
  isBlank: boolean
  /** The depth map as float32, height x width; for formats u16, f16 and f32. */
  values(): Float32Array
}

/** How a frame ended: every frame that was sent ends in exactly one of these. */
export type Outcome =
  | DepthResult
  | (Settled & { type: 'drop'; reason: DropReason })
  | (Settled & { type: 'error'; error: LeadlineError })
