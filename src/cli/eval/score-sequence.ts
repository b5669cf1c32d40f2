import { DepthScore } from './depth-score.ts'
import { Flicker } from './flicker.ts'
import { LeastSquares } from './least-squares.ts'

export interface ScoredFrame {
  /** Relative inverse depth, at the truth's size. */
  prediction: Float32Array
  /** Depth in millimetres, 0 where it is not known. */
  truthMm: Uint16Array
}

export interface SequenceScore {
  absRel: number
  delta1: number
  flicker: number
  frames: number
}

/**
 * The scoring protocol of the oVDA paper. Scale and shift come from the first frame ("first") or from all ("global"); the
 * difference of the two is drift. Frame 0 is fitted but not scored, unless it is the only one: with the fit "first" it
 * would be scored on the very pixels it was fitted to. `frames` is gone through twice.
 */
export async function scoreSequence(
  frames: () => AsyncIterable<ScoredFrame>,
  fitOn: 'first' | 'global'
): Promise<SequenceScore> {
  const first = new LeastSquares()
  const all = new LeastSquares()
  let count = 0
  for await (const { prediction, truthMm } of frames()) {
    if (count++ === 0) first.add(prediction, truthMm)
    all.add(prediction, truthMm)
  }
  const score = new DepthScore((fitOn === 'first' ? first : all).solve())
  const flicker = new Flicker(all.solve())
  let index = 0
  for await (const { prediction, truthMm } of frames()) {
    if (index++ > 0 || count === 1) score.add(prediction, truthMm)
    flicker.add(prediction, truthMm)
  }
  return { absRel: score.absRel, delta1: score.delta1, flicker: flicker.value, frames: count }
}
