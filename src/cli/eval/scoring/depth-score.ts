import type { Fit } from './least-squares.ts'
import { fittedDepth } from './least-squares.ts'

const deltaRatio = 1.25

/** AbsRel and delta1 of depth in metres, pooled over every valid pixel of the frames added. */
export class DepthScore {
  readonly #fit: Fit
  #count = 0
  #absRel = 0
  #within = 0

  constructor(fit: Fit) {
    this.#fit = fit
  }

  add(prediction: Float32Array, truthM: Float32Array): void {
    for (let i = 0; i < truthM.length; i++) {
      const truth = truthM[i] ?? 0
      if (truth === 0) continue
      const depth = fittedDepth(this.#fit, prediction[i] ?? 0)
      this.#count++
      this.#absRel += Math.abs(depth - truth) / truth
      if (Math.max(depth / truth, truth / depth) <= deltaRatio) this.#within++
    }
  }

  /** Mean of |depth - truth| / truth; NaN before the first valid pixel, as is `delta1`. */
  get absRel(): number {
    return this.#absRel / this.#count
  }

  /** Share of pixels whose depth is within a factor of 1.25 of the truth. */
  get delta1(): number {
    return this.#within / this.#count
  }
}
