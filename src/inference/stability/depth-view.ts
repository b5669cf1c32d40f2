import type { Steadiness } from '../../session.ts'
import { along, composed, identity } from '../../maps/affine-map.ts'
import type { AffineMap } from '../../maps/affine-map.ts'
import { corrected, correctionMap, stabilize } from './depth-stabilizer.ts'
import type { StabilizerState } from './depth-stabilizer.ts'
import { rangeOf, smoothRange } from '../pixels/display-range.ts'
import type { DisplayRange } from '../pixels/display-range.ts'
import { depthOfCells } from './frame-grid.ts'
import type { FrameGrid } from './frame-grid.ts'
import type { Size } from '../pixels/resolution.ts'
import { steadyRange } from './steady-range.ts'
import type { Line } from '../../maps/line-fit.ts'
import { faded } from './seam.ts'
import type { Seam } from './seam.ts'
import type { SteadyRange } from './steady-range.ts'

/** What of a session's earlier maps shapes how the next one is shown. Plain data. */
export interface DepthView {
  stabilizer: StabilizerState | null
  steady: SteadyRange | null
  /** What displays are told. */
  display: DisplayRange
  /** Of the next map: what a cache made anew made necessary. Null: nothing. */
  alignment: Line | null
  /** The last map, as it was handed out; blank ones not counted. */
  last: Seam
}

export interface NetworkDepth {
  /** Of the frame. */
  seq: number
  /** float32, height x width of `size`, as the network gave it. */
  depth: Float32Array
  size: Size
  /** Of the frame. */
  grid: FrameGrid
  /** The frame shows nothing. */
  isBlank: boolean
}

export interface ViewedDepth {
  /** For the next map; null when this one teaches nothing, and none before it has. */
  view: DepthView | null
  /** What the network's values become when they are handed out. */
  affine: AffineMap
  /** Smallest and largest value, after that. */
  range: DisplayRange
  /** What displays are told. */
  display: DisplayRange
}

export interface ViewWishes extends Pick<Steadiness, 'stabilize' | 'steadyRange'> {
  /** Frames that the network sees at once. */
  windowFrames: number
}

/**
 * How a network's depth is to be handed out: held steady if wished, with the range that displays should use. `before`
 * is null at the start of an epoch. From the depth of a blank frame nothing is learned. Returns null when a value is NaN
 * or infinite.
 */
export function viewDepth(
  before: DepthView | null,
  { seq, depth, size, grid, isBlank }: NetworkDepth,
  wishes: ViewWishes
): ViewedDepth | null {
  const raw = rangeOf(depth)
  if (raw === null) return null
  if (isBlank) return unlearned(before, raw)
  const alignment = before?.alignment ?? null
  const cells = aligned(depthOfCells(depth, size, grid), alignment)
  const stabilizer = wishes.stabilize ? stabilize(before?.stabilizer ?? null, grid, cells) : null
  const affine = affineOf({ alignment, stabilizer })
  const range = { min: along(affine, raw.min), max: along(affine, raw.max) }
  const steady = wishes.steadyRange ? steadyRange(before?.steady ?? null, depth, affine) : null
  const display = steady?.shown ?? smoothRange(before?.display ?? null, range)
  const last = { seq, cells: stabilizer?.depth ?? cells }
  const next = alignment && faded(alignment, wishes.windowFrames, raw.max - raw.min)
  return { view: { stabilizer, steady, display, alignment: next, last }, affine, range, display }
}

/** As the maps before it are handed out. */
function unlearned(before: DepthView | null, raw: DisplayRange): ViewedDepth {
  const affine = before ? affineOf(before) : identity
  const range = { min: along(affine, raw.min), max: along(affine, raw.max) }
  return { view: before, affine, range, display: before?.display ?? range }
}

/** The network's values as they are handed out: aligned, then held steady. */
function affineOf({ alignment, stabilizer }: Pick<DepthView, 'alignment' | 'stabilizer'>): AffineMap {
  const steadied = stabilizer ? correctionMap(stabilizer.correction) : identity
  return alignment ? composed(correctionMap(alignment), steadied) : steadied
}

function aligned(cells: Float32Array, alignment: Line | null): Float32Array {
  return alignment ? corrected(cells, alignment) : cells
}
