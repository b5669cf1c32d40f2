export interface Line {
  scale: number
  shift: number
}

/** What is left of the spread of a constant x by rounding, as a share of its mean square. */
const flat = 1e-9

/** Weighted least squares of scale * x + shift against y. Keeps sums only, so that any number of pairs passes through. */
export class LineFit {
  #weight = 0
  #x = 0
  #y = 0
  #xx = 0
  #xy = 0

  /** Of all pairs so far. */
  get weight(): number {
    return this.#weight
  }

  add(x: number, y: number, weight = 1): void {
    this.#weight += weight
    this.#x += weight * x
    this.#y += weight * y
    this.#xx += weight * x * x
    this.#xy += weight * x * y
  }

  /** Many pairs at once, by the moments of their x, all of which lie on `line`. */
  addOnLine({ scale, shift }: Line, moments: { mean: number; variance: number }, weight: number): void {
    const square = moments.mean ** 2 + moments.variance
    this.#weight += weight
    this.#x += weight * moments.mean
    this.#y += weight * (scale * moments.mean + shift)
    this.#xx += weight * square
    this.#xy += weight * (scale * square + shift * moments.mean)
  }

  /** null where x does not vary, or there is no pair: nothing determines the scale. */
  solve(): Line | null {
    const determinant = this.#xx * this.#weight - this.#x * this.#x
    if (!(determinant > flat * this.#xx * this.#weight)) return null
    return this.through((this.#xy * this.#weight - this.#x * this.#y) / determinant)
  }

  /** The best line of a given scale; without any pair its shift is 0. */
  through(scale: number): Line {
    return { scale, shift: this.#weight === 0 ? 0 : (this.#y - scale * this.#x) / this.#weight }
  }
}
