/** Long enough for everybody to connect again, to renew what ran out meanwhile and to write anew what was lost. */
const calmMs = 5000

/**
 * After the store was away, or has forgotten something, what is missing in it says nothing: whoever is alive is about to
 * say so. `now` gives milliseconds of a clock that never goes back.
 */
export class Calm {
  readonly #now: () => number
  #untilMs = -Infinity

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  begin(): void {
    this.#untilMs = this.#now() + calmMs
  }

  /** Since it began for the last time, those who are quick have said that they are alive. */
  get isHalfOver(): boolean {
    return this.#now() >= this.#untilMs - calmMs / 2
  }

  /** Whether to wait before anything counts as lost. */
  get isOn(): boolean {
    return this.#now() < this.#untilMs
  }
}
