import { frameOfPixels } from '../../wire/own-frame.ts'
import type { SessionContext } from '../../session.ts'
import type { Size } from '../pixels/resolution.ts'
import type { DepthView } from '../stability/depth-view.ts'
import type { Scene } from '../stability/scene-cut.ts'
import { writeNotes } from './context-notes.ts'
import type { UntoldLoss } from './context-notes.ts'
import type { HeldLatents } from './past.ts'
import type { KeptFrame } from './replay.ts'
import type { Timeline } from './timeline.ts'

/** What a session remembers between two frames. */
export interface Remembered {
  timeline: Timeline
  kept: readonly KeptFrame[]
  /** Of the epoch's frames; null before the first. */
  size: Size | null
  scene: Scene
  view: DepthView | null
  loss: UntoldLoss | null
}

/**
 * The frames go as the network takes them: decoded and resized once, so that they are the same again. Of a past that was lost
 * whole there are none to note anything of, and whoever goes on from none that it knows of has lost nothing: so until the client
 * is told, how much there was is not known.
 */
export function writeContext(
  { timeline, kept, ...learned }: Remembered,
  latents: HeldLatents | null
): SessionContext {
  const { epoch, framesSeen, digest, planKey } = timeline
  const { size, ...others } = learned
  const isLostWhole = learned.loss?.continuity === 'new'
  const payloadDigests = kept.map(({ prepared }) => prepared.payloadDigest)
  return {
    ...{ epoch, framesSeen: isLostWhole ? null : framesSeen, digest },
    ...{ seam: null, latents: latents?.bytes ?? null },
    frames: kept.map(({ seq, prepared: { rgb, size } }) =>
      frameOfPixels(seq, { rgb, ...size, timestampUs: 0 })
    ),
    notes: planKey !== null && size ? writeNotes({ planKey, size, payloadDigests, ...others }) : null
  }
}
