import type { FrameStages } from '../../metering/frame-stages.ts'
import type { SessionEvent } from '../../session.ts'
import type { Pending } from '../engine/ordered-outcomes.ts'
import type { DepthLabels } from '../pixels/postprocess.ts'
import type { PreparedFrame } from '../pixels/preprocess.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'

/** A frame whose depth is not known yet. */
export interface PendingFrame {
  pending: Pending
  stages: FrameStages
  /** Without its pixels, which would be as many frames as a window has. */
  frame: Pick<PreparedFrame, 'size' | 'source'>
  guide: SeenFrame['guide']
  labels: Omit<DepthLabels, 'computeUs'>
  /** Of its clip. */
  isFirst: boolean
  /** What precedes its outcome: the reset that its clip began with. */
  before: SessionEvent[]
}
