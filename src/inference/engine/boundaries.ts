import type { LeadlineError } from '../../errors.ts'
import type { Pending } from './ordered-outcomes.ts'

interface Boundary {
  reach: () => void
  fail: (error: LeadlineError) => void
}

/** Who waits for a moment between two frames of a session, by its place in the order of outcomes. */
export class Boundaries {
  readonly #waiting = new Map<Pending, Boundary>()

  /** Resolves at `reach`; rejects when the session ends first. */
  wait(pending: Pending): Promise<void> {
    return new Promise((reach, fail) => this.#waiting.set(pending, { reach, fail }))
  }

  has(pending: Pending): boolean {
    return this.#waiting.has(pending)
  }

  /** More than once without harm. */
  reach(pending: Pending): void {
    this.#waiting.get(pending)?.reach()
  }

  /** False when the session has ended meanwhile. */
  leave(pending: Pending): boolean {
    return this.#waiting.delete(pending)
  }

  end(error: LeadlineError): void {
    for (const { fail } of this.#waiting.values()) fail(error)
    this.#waiting.clear()
  }
}
