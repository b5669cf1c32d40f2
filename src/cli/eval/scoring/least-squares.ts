import { LineFit } from '../../../maps/line-fit.ts'

/** Turns a prediction, free of scale and shift, into inverse depth in 1/m: scale * prediction + shift. */
export interface Fit {
  scale: number
  shift: number
}

/** A fit at or below zero means "as far as can be". */
const minInverseDepth = 1e-6
/** Depth beyond this counts as this (oVDA's protocol). */
const maxDepthM = 80

/** Depth in metres of a prediction, from 0 to 80. */
export function fittedDepth({ scale, shift }: Fit, prediction: number): number {
  return Math.min(1 / Math.max(scale * prediction + shift, minInverseDepth), maxDepthM)
}

/** Least squares of scale * prediction + shift against the inverse of the truth, on the pixels that have one (0: none). */
export class LeastSquares {
  readonly #fit = new LineFit()

  /** Pixels with truth so far. */
  get count(): number {
    return this.#fit.weight
  }

  /** Prediction and truth in metres of one frame, pixel by pixel. */
  add(prediction: Float32Array, truthM: Float32Array): void {
    for (let i = 0; i < truthM.length; i++) {
      const depth = truthM[i] ?? 0
      if (depth !== 0) this.#fit.add(prediction[i] ?? 0, 1 / depth)
    }
  }

  /** A prediction that does not vary fits with scale 0. Without any valid pixel both are 0. */
  solve(): Fit {
    return this.#fit.solve() ?? this.#fit.through(0)
  }
}
