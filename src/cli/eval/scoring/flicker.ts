import { Deviation } from './deviation.ts'
import type { Fit } from './least-squares.ts'

/**
 * Mean |change of the prediction - change of the truth| from frame to frame, in inverse depth, over the mean deviation of
 * the truth from its median. A constant prediction scores the true motion: only below that is a model steady.
 */
export class Flicker {
  readonly #fit: Fit
  readonly #deviation = new Deviation()
  #before: { fitted: Float32Array; truthM: Float32Array } | null = null
  #count = 0
  #error = 0

  /** `fit` is the one over all frames. */
  constructor(fit: Fit) {
    this.#fit = fit
  }

  add(prediction: Float32Array, truthM: Float32Array): void {
    const { scale, shift } = this.#fit
    const fitted = prediction.map((value) => scale * value + shift)
    for (const depth of truthM) if (depth > 0) this.#deviation.add(1 / depth)
    if (this.#before !== null) this.#compare(this.#before, fitted, truthM)
    this.#before = { fitted, truthM }
  }

  /** 0 for a single frame. */
  get value(): number {
    return this.#count === 0 ? 0 : this.#error / this.#count / Math.max(this.#deviation.value, 1e-6)
  }

  #compare(
    before: { fitted: Float32Array; truthM: Float32Array },
    fitted: Float32Array,
    truthM: Float32Array
  ): void {
    for (let i = 0; i < truthM.length; i++) {
      const now = truthM[i] ?? 0
      const then = before.truthM[i] ?? 0
      if (now === 0 || then === 0) continue
      const change = (fitted[i] ?? 0) - (before.fitted[i] ?? 0)
      this.#count++
      this.#error += Math.abs(change - (1 / now - 1 / then))
    }
  }
}
