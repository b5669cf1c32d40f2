/** Two frames are at least this far apart, so that no result puts them at one time. */
const leastStepUs = 100
/** A longer pause is taken for a fault of the file. */
const longestStepUs = 3_600_000_000

/**
 * The times of a file's frames: as the file says, but never negative, and rising. A frame of which it says nothing, or
 * something far off, follows the one before it after `usualStepUs`; one that is out of place comes right after it.
 * Times that go on from an earlier one are those of a recording that started again, and are moved to where it stopped.
 */
export class FrameClock {
  readonly #usualStepUs: number
  #last: { timeUs: number; stampUs: number } | null = null
  /** What is added to the file's times. */
  #shiftUs = 0

  constructor(usualStepUs: number) {
    this.#usualStepUs = Math.round(usualStepUs)
  }

  /** Time of the next frame, by what the file says of it; null: nothing. */
  next(stampUs: number | null): number {
    const timeUs = this.#last === null ? this.#first(stampUs ?? 0) : this.#after(this.#last, stampUs)
    this.#last = { timeUs, stampUs: stampUs ?? timeUs - this.#shiftUs }
    return timeUs
  }

  #first(stampUs: number): number {
    this.#shiftUs = Math.max(0, -stampUs)
    return stampUs + this.#shiftUs
  }

  #after(last: { timeUs: number; stampUs: number }, stampUs: number | null): number {
    if (stampUs === null) return last.timeUs + this.#usualStepUs
    const stepUs = stampUs + this.#shiftUs - last.timeUs
    if (isStep(stepUs)) return last.timeUs + stepUs
    const ownStepUs = stampUs - last.stampUs
    if (stepUs < leastStepUs && ownStepUs < leastStepUs) return last.timeUs + leastStepUs
    const timeUs = last.timeUs + (isStep(ownStepUs) ? ownStepUs : this.#usualStepUs)
    this.#shiftUs = timeUs - stampUs
    return timeUs
  }
}

function isStep(stepUs: number): boolean {
  return stepUs >= leastStepUs && stepUs <= longestStepUs
}
