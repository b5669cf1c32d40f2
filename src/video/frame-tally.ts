/** How far a file was read: how many frames came, and over what time. */
export class FrameTally {
  #count = 0
  #firstUs = 0
  #lastUs = 0
  #longestStepUs = 0

  add(timestampUs: number): void {
    if (this.#count === 0) this.#firstUs = timestampUs
    else this.#longestStepUs = Math.max(this.#longestStepUs, timestampUs - this.#lastUs)
    this.#lastUs = timestampUs
    this.#count++
  }

  get count(): number {
    return this.#count
  }

  /** Whether the last frame lies so long before the end of a file of this length that others must have followed it. */
  endsEarly(durationUs: number | null): boolean {
    if (durationUs === null) return true
    const restUs = durationUs - (this.#lastUs - this.#firstUs)
    return restUs > 2.5 * Math.max(this.#longestStepUs, durationUs / 1000)
  }
}
