/** Turns a prediction, free of scale and shift, into inverse depth in 1/m: scale * prediction + shift. */
export interface Fit {
  scale: number
  shift: number
}

/** Inverse depth in 1/m of a truth in millimetres. */
export function inverseDepth(truthMm: number): number {
  return 1000 / truthMm
}

/**
 * Least squares of scale * prediction + shift against the inverse of the truth, on the pixels that have one (0: none).
 * Sums only, so that a sequence of any length passes through.
 */
export class LeastSquares {
  #count = 0
  #x = 0
  #y = 0
  #xx = 0
  #xy = 0

  /** Prediction and truth of one frame, pixel by pixel. */
  add(prediction: Float32Array, truthMm: Uint16Array): void {
    for (let i = 0; i < truthMm.length; i++) {
      const mm = truthMm[i] ?? 0
      if (mm === 0) continue
      const x = prediction[i] ?? 0
      const y = inverseDepth(mm)
      this.#count++
      this.#x += x
      this.#y += y
      this.#xx += x * x
      this.#xy += x * y
    }
  }

  /** A prediction that does not vary fits with scale 0. Without any valid pixel both are 0. */
  solve(): Fit {
    const count = Math.max(1, this.#count)
    const meanX = this.#x / count
    const meanY = this.#y / count
    const variance = this.#xx / count - meanX * meanX
    const scale = variance > 1e-12 ? (this.#xy / count - meanX * meanY) / variance : 0
    return { scale, shift: meanY - scale * meanX }
  }
}
