import type { Route } from '../../link.ts'
import type { SessionPast } from './session-past.ts'

interface Left {
  /** By which it was held here. */
  token: number
  past: SessionPast
  untilMs: number
}

/**
 * The pasts of sessions that were left here, for as long as their clients may come back: should a worker be lost meanwhile,
 * it is made good from them. They count against the budget of the rings as before. `now` gives milliseconds.
 */
export class LeftPasts {
  readonly #now: () => number
  readonly #left = new Map<string, Left>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  keep({ sessionId, token }: Route, past: SessionPast, graceMs: number): void {
    this.sweep()
    this.#forget(sessionId)
    past.leave()
    this.#left.set(sessionId, { token, past, untilMs: this.#now() + graceMs })
  }

  /** Of the session as it is taken by this token; null where it is not here, or somebody else has had it since. */
  take({ sessionId, token }: Route): SessionPast | null {
    const left = this.#left.get(sessionId)
    if (left?.token === token - 1) {
      this.#left.delete(sessionId)
      return left.past
    }
    this.#forget(sessionId)
    return null
  }

  /** Those whose grace is over go. */
  sweep(): void {
    for (const [id, { untilMs }] of this.#left) if (untilMs <= this.#now()) this.#forget(id)
  }

  #forget(sessionId: string): void {
    this.#left.get(sessionId)?.past.forget()
    this.#left.delete(sessionId)
  }
}
