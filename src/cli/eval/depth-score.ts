import type { Fit } from './least-squares.ts'

/** Depth beyond this counts as this. */
const maxDepthMetres = 80
/** A fit at or below zero means "as far as can be". */
const minInverseDepth = 1e-6
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

  add(prediction: Float32Array, truthMm: Uint16Array): void {
    const { scale, shift } = this.#fit
    for (let i = 0; i < truthMm.length; i++) {
      const truth = (truthMm[i] ?? 0) / 1000
      if (truth === 0) continue
      const fitted = Math.max(scale * (prediction[i] ?? 0) + shift, minInverseDepth)
      const depth = Math.min(1 / fitted, maxDepthMetres)
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
