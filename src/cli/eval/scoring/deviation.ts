/** Of the 32 bits of a float: without the sign, 8 of exponent and 12 of mantissa, bins 0.02 % wide. */
const binBits = 20
const dropBits = 11

/**
 * Mean |value - median| of any number of values >= 0, in 16 MiB: counts and sums in bins that follow the float's bits.
 * The mean deviation hardly changes with the centre where that is the median, so a median known to 0.02 % gives it to
 * better than one in a million.
 */
export class Deviation {
  readonly #counts = new Float64Array(2 ** binBits)
  readonly #sums = new Float64Array(2 ** binBits)
  readonly #float = new Float32Array(1)
  readonly #bits = new Uint32Array(this.#float.buffer)
  #count = 0

  add(value: number): void {
    this.#float[0] = value
    const bin = (this.#bits[0] ?? 0) >>> dropBits
    this.#counts[bin]! += 1
    this.#sums[bin]! += value
    this.#count++
  }

  /** 0 without values. */
  get value(): number {
    if (this.#count === 0) return 0
    const median = this.#median()
    let sum = 0
    for (let bin = 0; bin < this.#counts.length; bin++) {
      const count = this.#counts[bin] ?? 0
      if (count > 0) sum += Math.abs((this.#sums[bin] ?? 0) - count * median)
    }
    return sum / this.#count
  }

  /** Any value between the two middle ones of an even count has the same mean deviation: the lower one will do. */
  #median(): number {
    const rank = Math.floor((this.#count - 1) / 2)
    let seen = 0
    const bin = this.#counts.findIndex((count) => (seen += count) > rank)
    return (this.#sums[bin] ?? 0) / (this.#counts[bin] ?? 1)
  }
}
