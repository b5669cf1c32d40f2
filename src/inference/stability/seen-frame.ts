import { isBlank } from './blank-frame.ts'
import { frameGrid } from './frame-grid.ts'
import type { FrameGrid } from './frame-grid.ts'
import type { Guide } from '../../maps/guide.ts'
import type { PreparedFrame } from '../pixels/preprocess.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'

/** A frame that is decoded, and what can be said of it before its step. */
export interface SeenFrame<F extends PreparedFrame = ReceivedFrame> {
  prepared: F
  /** Apart, since what is prepared is kept for as long as a latent cache remembers it, and a guide is far larger. */
  guide: Guide | null
  grid: FrameGrid
  /** It shows nothing: no memory is to hold it. */
  isBlank: boolean
}

export function seeFrame<F extends PreparedFrame>(prepared: F, guide: Guide | null = null): SeenFrame<F> {
  const grid = frameGrid(prepared.rgb, prepared.size)
  return { prepared, guide, grid, isBlank: isBlank(grid) }
}
