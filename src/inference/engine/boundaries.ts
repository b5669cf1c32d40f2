import type { LeadlineError } from '../../errors.ts'
import type { Place } from './ordered-outcomes.ts'

interface Boundary {
  reach: () => void
  fail: (error: LeadlineError) => void
}

/** Who waits for a moment between two frames of a session, by its place in the order of outcomes. */
export class Boundaries {
  readonly #waiting = new Map<Place, Boundary>()

  /** Resolves at `reach`; rejects when the session ends first. */
  wait(place: Place): Promise<void> {
    return new Promise((reach, fail) => this.#waiting.set(place, { reach, fail }))
  }

  has(place: Place): boolean {
    return this.#waiting.has(place)
  }

  /** More than once without harm. */
  reach(place: Place): void {
    this.#waiting.get(place)?.reach()
  }

  /** False when the session has ended meanwhile. */
  leave(place: Place): boolean {
    return this.#waiting.delete(place)
  }

  end(error: LeadlineError): void {
    for (const { fail } of this.#waiting.values()) fail(error)
    this.#waiting.clear()
  }
}
