import type { SessionEvent } from '../../session.ts'
import type { Plan, StateHandle } from '../executor.ts'
import type { ModelLease } from './model-cache.ts'
import type { Place } from './ordered-outcomes.ts'
import type { DepthLabels } from '../pixels/postprocess.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'

/** A frame that is ready for its step. */
export interface ReadyFrame {
  plan: Plan
  planKey: string
  /** It leaves the line and enters its step. Once, and at once: a later frame may supersede it. */
  take: () => SteppingFrame
}

/** A frame in its step. */
export interface SteppingFrame {
  prepared: ReceivedFrame
  framesSeen: number
  /** Null of a frame that had its outcome before, and is stepped again to make the latent cache anew. */
  awaited: AwaitedFrame | null
}

/** A frame that waits for its outcome, with all that this must say. */
export interface AwaitedFrame extends Pick<SeenFrame, 'grid' | 'isBlank'> {
  place: Place
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
