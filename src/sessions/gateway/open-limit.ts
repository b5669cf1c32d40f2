import pLimit from 'p-limit'
import { LeadlineError } from '../../errors.ts'

/** Sessions that one gateway opens at once. More would only delay each other, and the beats of its lease. */
const atOnce = 32
/** Those that may wait; whoever comes after them is better served elsewhere, or later. */
const maxWaiting = 256

/** Lets a storm of clients in little by little. */
export class OpenLimit {
  readonly #limit = pLimit(atOnce)

  /** Throws NO_CAPACITY when too many wait already, and what `open` throws. */
  run<T>(open: () => Promise<T>): Promise<T> {
    const waiting = this.#limit.pendingCount
    if (waiting < maxWaiting) return this.#limit(open)
    const detail = `${waiting} sessions wait to be opened by this server already; try again later`
    return Promise.reject(new LeadlineError('NO_CAPACITY', detail))
  }
}
