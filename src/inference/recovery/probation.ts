/** Steps of its own that a session has to come through after it was in one that the executor died in. */
const probationSteps = 64

/**
 * Whether a session is to blame when the executor dies. Once may be bad luck: it goes on, and steps alone, so that it
 * takes no other along. Twice within a few steps is not.
 */
export class Probation {
  #stepsLeft = 0

  /** Whether its steps are its own. */
  get isOn(): boolean {
    return this.#stepsLeft > 0
  }

  /** A step with a new frame went well. */
  passStep(): void {
    if (this.#stepsLeft > 0) this.#stepsLeft -= 1
  }

  /** The executor died in a step of the session. False when that is once too often. */
  survivesDeath(): boolean {
    if (this.isOn) return false
    this.#stepsLeft = probationSteps
    return true
  }
}
