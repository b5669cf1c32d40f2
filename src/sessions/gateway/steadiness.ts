/** A look may be late by as much again. */
const longestGapMs = 1000
/** For longer than any lease of a worker. */
const steadyMs = 3000

/**
 * Whether the store has answered all the time that a lease takes to run out: then neither it, nor this process, nor the machine
 * under both stood still meanwhile, and the lease ran out because nobody renewed it. Times are of one clock that never goes back.
 */
export class Steadiness {
  #sinceMs = Infinity
  #lastMs = -Infinity

  answered(nowMs: number): void {
    if (nowMs - this.#lastMs > longestGapMs) this.#sinceMs = nowMs
    this.#lastMs = nowMs
  }

  /** As of the last answer. */
  get isSteady(): boolean {
    return this.#lastMs - this.#sinceMs >= steadyMs
  }
}
