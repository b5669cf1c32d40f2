import type { Camera } from '../datasets/camera.ts'
import { AlignmentError } from './alignment-error.ts'
import { DepthScore } from './depth-score.ts'
import { Flicker } from './flicker.ts'
import type { Fit } from './least-squares.ts'
import { fittedDepth, LeastSquares } from './least-squares.ts'

export interface ScoredFrame {
  /** Inverse depth, height x width, at the truth's size; in 1/m of a metric model, else free of scale and shift. */
  prediction: Float32Array
  /** Depth in metres, 0 where it is not known. */
  truthM: Float32Array
  width: number
  height: number
  camera: Camera | null
}

/** Where scale and shift come from: the first frame, or all. */
const fits = ['first', 'global'] as const
/** none: nowhere, since the prediction has a unit already. */
export const fitChoices = [...fits, 'none'] as const
export type FitOn = (typeof fitChoices)[number]

export interface SequenceScore {
  /** With the fit asked for. */
  absRel: number
  delta1: number
  flicker: number
  frames: number
  /** With the fit on the first frame. */
  firstAbsRel: number
  firstDelta1: number
  /** AbsRel with the first frame's fit minus that with the fit on all: drift. */
  gap: number
  /** Temporal alignment error in per cent, after the fit on all frames; null without poses. */
  tae: number | null
  /** The same of the true depth: what moves, is hidden, or measured wrongly. */
  truthTae: number | null
}

/**
 * The scoring protocol of the oVDA paper, with the temporal alignment error of VDA's. Frame 0 is fitted but not scored,
 * unless it is the only one: with the fit "first" it would be scored on the very pixels it was fitted to. `frames` is
 * gone through twice. null when no pixel has a truth that could be scored.
 */
export async function scoreSequence(
  frames: () => AsyncIterable<ScoredFrame>,
  fitOn: FitOn
): Promise<SequenceScore | null> {
  const { first, all, count } = await fitSequence(frames())
  const scores = { first: new DepthScore(first), global: new DepthScore(all), none: new DepthScore(unfitted) }
  const flicker = new Flicker(all)
  const tae = new AlignmentError()
  const truthTae = new AlignmentError()
  let index = 0
  for await (const frame of frames()) {
    const { prediction, truthM, camera } = frame
    if (index++ > 0 || count === 1) {
      scores.first.add(prediction, truthM)
      scores.global.add(prediction, truthM)
      scores.none.add(prediction, truthM)
    }
    flicker.add(prediction, truthM)
    const depthM = prediction.map((value) => fittedDepth(all, value))
    tae.add(camera && { ...frame, depthM, camera })
    truthTae.add(camera && { ...frame, depthM: truthM, camera })
  }
  const { absRel, delta1 } = scores[fitOn]
  if (Number.isNaN(absRel)) return null
  return {
    ...{ absRel, delta1, flicker: flicker.value, frames: count },
    ...{ firstAbsRel: scores.first.absRel, firstDelta1: scores.first.delta1 },
    ...{ gap: scores.first.absRel - scores.global.absRel, tae: tae.percent, truthTae: truthTae.percent }
  }
}

const unfitted: Fit = { scale: 1, shift: 0 }

async function fitSequence(
  frames: AsyncIterable<ScoredFrame>
): Promise<{ first: Fit; all: Fit; count: number }> {
  const first = new LeastSquares()
  const all = new LeastSquares()
  let count = 0
  for await (const { prediction, truthM } of frames) {
    if (count++ === 0) first.add(prediction, truthM)
    all.add(prediction, truthM)
  }
  return { first: first.solve(), all: all.solve(), count }
}
