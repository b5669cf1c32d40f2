import type { LeadlineError } from '../errors.ts'
import type { Outcome } from './outcome.ts'

type Taker = { resolve: (outcome: Outcome | null) => void; reject: (error: LeadlineError) => void }

/** Outcomes between the socket and whoever reads them. After the end, what is left can still be read. */
export class OutcomeQueue {
  readonly #outcomes: Outcome[] = []
  readonly #takers: Taker[] = []
  #end: { error: LeadlineError | null } | null = null

  push(outcome: Outcome): void {
    const taker = this.#takers.shift()
    if (taker === undefined) this.#outcomes.push(outcome)
    else taker.resolve(outcome)
  }

  /** No more outcomes come; with an error, reading throws it once the rest is read. The first end counts. */
  end(error: LeadlineError | null): void {
    if (this.#end !== null) return
    this.#end = { error }
    for (const taker of this.#takers.splice(0)) {
      if (error === null) taker.resolve(null)
      else taker.reject(error)
    }
  }

  /** The next outcome; null at the end. */
  take(): Promise<Outcome | null> {
    const next = this.#outcomes.shift()
    if (next !== undefined) return Promise.resolve(next)
    if (this.#end === null) return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }))
    return this.#end.error === null ? Promise.resolve(null) : Promise.reject(this.#end.error)
  }
}
