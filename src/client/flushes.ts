import { Deferred } from '../deferred.ts'
import type { LeadlineError } from '../errors.ts'
import { freshId } from './fresh-id.ts'

/** Words that the application waits for: every frame before has its outcome. */
export class Flushes {
  readonly #waiting = new Map<string, Deferred<void>>()

  get isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** The id to ask with, and what is answered. */
  add(): { id: string; flushed: Promise<void> } {
    const flushed = new Deferred<void>()
    const id = freshId()
    this.#waiting.set(id, flushed)
    return { id, flushed: flushed.promise }
  }

  answered(id: string): void {
    this.#waiting.get(id)?.resolve()
    this.#waiting.delete(id)
  }

  /** Nothing follows: after a close all is as was asked. */
  end(error: LeadlineError | null): void {
    for (const flushed of this.#waiting.values()) {
      if (error === null) flushed.resolve()
      else flushed.reject(error)
    }
    this.#waiting.clear()
  }
}
