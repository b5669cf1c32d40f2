import type { Steadiness } from '../session.ts'
import { corrected, stabilize } from './depth-stabilizer.ts'
import type { StabilizerState } from './depth-stabilizer.ts'
import { rangeOf, smoothRange } from './display-range.ts'
import type { DisplayRange } from './display-range.ts'
import { depthOfCells } from './frame-grid.ts'
import type { FrameGrid } from './frame-grid.ts'
import type { Size } from './resolution.ts'
import { steadyRange } from './steady-range.ts'
import type { SteadyRange } from './steady-range.ts'

/** What of a session's earlier maps shapes how the next one is shown. Plain data. */
export interface DepthView {
  stabilizer: StabilizerState | null
  steady: SteadyRange | null
  /** What displays are told. */
  display: DisplayRange
}

export interface NetworkDepth {
  /** float32, height x width of `size`, as the network gave it. */
  depth: Float32Array
  size: Size
  /** Of the frame; null when nobody asked for steadiness that needs it. */
  grid: FrameGrid | null
}

export interface ViewedDepth {
  view: DepthView
  depth: Float32Array
  /** Smallest and largest value of `depth`. */
  range: DisplayRange
}

/**
 * A network's depth made ready to be handed out: held steady if wished, with the range that displays should use. `before`
 * is null at the start of an epoch. Returns null when a value is NaN or infinite.
 */
export function viewDepth(
  before: DepthView | null,
  { depth: raw, size, grid }: NetworkDepth,
  wishes: Pick<Steadiness, 'stabilize' | 'steadyRange'>
): ViewedDepth | null {
  const rawRange = rangeOf(raw)
  if (rawRange === null) return null
  const stabilizer =
    wishes.stabilize && grid !== null
      ? stabilize(before?.stabilizer ?? null, grid, depthOfCells(raw, size, grid))
      : null
  const depth = stabilizer === null ? raw : corrected(raw, stabilizer.correction)
  const range = stabilizer === null ? rawRange : rangeOf(depth)
  if (range === null) return null
  const steady = wishes.steadyRange ? steadyRange(before?.steady ?? null, depth) : null
  const display = steady?.shown ?? smoothRange(before?.display ?? null, range)
  return { view: { stabilizer, steady, display }, depth, range }
}
