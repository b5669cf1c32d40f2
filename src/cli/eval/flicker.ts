import { inverseDepth } from './least-squares.ts'
import type { Fit } from './least-squares.ts'

/**
 * Mean |change of the prediction - change of the truth| from frame to frame, in inverse depth, over the mean deviation of
 * the truth from its median. A constant prediction scores the true motion: only below that is a model steady.
 */
export class Flicker {
  readonly #fit: Fit
  /** How often each truth in millimetres was seen: gives the exact median of any number of frames. */
  readonly #histogram = new Float64Array(65_536)
  #before: { fitted: Float32Array; truthMm: Uint16Array } | null = null
  #count = 0
  #error = 0

  /** `fit` is the one over all frames. */
  constructor(fit: Fit) {
    this.#fit = fit
  }

  add(prediction: Float32Array, truthMm: Uint16Array): void {
    const { scale, shift } = this.#fit
    const fitted = prediction.map((value) => scale * value + shift)
    for (const mm of truthMm) if (mm > 0) this.#histogram[mm]! += 1
    if (this.#before !== null) this.#compare(this.#before, fitted, truthMm)
    this.#before = { fitted, truthMm }
  }

  /** 0 for a single frame. */
  get value(): number {
    return this.#count === 0 ? 0 : this.#error / this.#count / Math.max(deviation(this.#histogram), 1e-6)
  }

  #compare(
    before: { fitted: Float32Array; truthMm: Uint16Array },
    fitted: Float32Array,
    truthMm: Uint16Array
  ): void {
    for (let i = 0; i < truthMm.length; i++) {
      const now = truthMm[i] ?? 0
      const then = before.truthMm[i] ?? 0
      if (now === 0 || then === 0) continue
      const change = (fitted[i] ?? 0) - (before.fitted[i] ?? 0)
      this.#count++
      this.#error += Math.abs(change - (inverseDepth(now) - inverseDepth(then)))
    }
  }
}

/** Mean |inverse depth - its median|. */
function deviation(histogram: Float64Array): number {
  const total = histogram.reduce((sum, count) => sum + count, 0)
  const median =
    (inverseAt(histogram, Math.floor((total - 1) / 2)) + inverseAt(histogram, Math.floor(total / 2))) / 2
  let sum = 0
  histogram.forEach((count, mm) => {
    if (count > 0) sum += count * Math.abs(inverseDepth(mm) - median)
  })
  return sum / total
}

/** Inverse depth of the pixel with this rank; the order of millimetres is that of inverse depth, backwards. */
function inverseAt(histogram: Float64Array, rank: number): number {
  let seen = 0
  const mm = histogram.findIndex((count) => (seen += count) > rank)
  return inverseDepth(mm)
}
