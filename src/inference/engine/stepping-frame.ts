import type { FrameStages } from '../../metering/frame-stages.ts'
import type { OutputOptions } from '../../wire/output.ts'
import type { SessionEvent } from '../../session.ts'
import type { Plan, StateHandle } from '../executor.ts'
import type { ModelLease } from './model-cache.ts'
import type { Pending } from './ordered-outcomes.ts'
import type { DepthLabels } from '../pixels/postprocess.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'
import type { ReplayedFrame } from '../recovery/cache-history.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'

/** A frame that is ready for its step. */
export interface ReadyFrame {
  plan: Plan
  planKey: string
  /** It leaves the line and enters its step. Once, and at once: a later frame may supersede it. */
  take: () => SteppingFrame
}

/** A frame in its step: awaited, or one that had its outcome before, stepped again to make the latent cache anew. */
export type SteppingFrame = { prepared: ReceivedFrame; framesSeen: number } & (
  { awaited: AwaitedFrame; replayed: null } | { awaited: null; replayed: ReplayedFrame }
)

/** What a step took, and how many frames shared it. */
export interface StepTime {
  computeMs: number
  rows: number
}

/** A frame that waits for its outcome, with all that this must say. */
export interface AwaitedFrame extends Pick<SeenFrame, 'grid' | 'guide' | 'isBlank'> {
  pending: Pending
  stages: FrameStages
  output: OutputOptions
  labels: Omit<DepthLabels, 'computeUs'>
  /** What precedes its outcome: a reset, when it could not continue the epoch; what became of a lost past. */
  before: SessionEvent[]
}

/** Where the latent cache of a session lies. */
export interface StateLocation {
  planKey: string
  lease: ModelLease
  state: StateHandle
  /** Nothing has been stepped on this state yet. */
  isNew: boolean
}
