import { LeadlineError } from '../../errors.ts'

/** Throws CLIP_TOO_LARGE for more frames than a clip may have; null: not known yet. */
export function checkFrameCount(frames: number | null, maxFrames: number): void {
  if (frames === null || frames <= maxFrames) return
  throw new LeadlineError(
    'CLIP_TOO_LARGE',
    `The clip has more than the ${maxFrames} frames that LEADLINE_MAX_CLIP_FRAMES allows, or the limit of its key; cut it`
  )
}
