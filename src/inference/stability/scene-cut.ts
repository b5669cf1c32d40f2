import type { FrameGrid } from './frame-grid.ts'
import { patternOf, pictureChange } from './picture-change.ts'
import type { Pattern } from './picture-change.ts'

/** What is remembered of a scene to tell when it ends. Plain data. */
export interface Scene {
  /** Of the last frame; null before the first. */
  pattern: Pattern | null
  /** Mean change from frame to frame, and mean deviation from it, the latest counting most. */
  change: number
  deviation: number
  /** Frames that were compared since the scene began. */
  length: number
}

export const newScene: Scene = { pattern: null, change: 0, deviation: 0, length: 0 }

/** Change from which a cut is possible at all. */
const minChange = 0.52
/** How far above its usual change a scene must jump: both a margin and a number of deviations. */
const margin = 0.1
const deviations = 1.5
/** Compared frames a scene has at least: before that nobody knows what is usual in it. */
const minLength = 4
/** How much of each new frame enters what is usual. */
const weight = 0.1

/**
 * Whether a frame begins another scene than the frames before it. Blank frames are not to be shown to it, so that a flash
 * is no cut, and a fade is one only if another scene comes out of it. A stream whose frames never resemble each other has
 * no cuts.
 */
export function watchScene(scene: Scene, grid: FrameGrid): { scene: Scene; isCut: boolean } {
  const pattern = patternOf(grid)
  const before = scene.pattern
  if (before === null || before.width !== pattern.width || before.height !== pattern.height)
    return { scene: { ...newScene, pattern }, isCut: false }
  const change = pictureChange(before, pattern)
  if (scene.length >= minLength && change > Math.max(minChange, usualLimit(scene)))
    return { scene: { ...newScene, pattern }, isCut: true }
  return { scene: lengthened(scene, pattern, change), isCut: false }
}

/** One jump, perhaps a cut that was missed, must not make jumps usual. */
function lengthened(scene: Scene, pattern: Pattern, change: number): Scene {
  const share = Math.max(weight, 1 / (scene.length + 1))
  const surprise = scene.length === 0 ? change : Math.min(change, usualLimit(scene))
  const mean = scene.change + share * (surprise - scene.change)
  const deviation = scene.deviation + share * (Math.abs(surprise - mean) - scene.deviation)
  return { pattern, change: mean, deviation, length: scene.length + 1 }
}

function usualLimit({ change, deviation }: Scene): number {
  return change + margin + deviations * deviation
}
