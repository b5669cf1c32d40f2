import type { LeadlineError } from '../../../errors.ts'
import type { Request } from './child-messages.ts'

/** A call of the executor process that has no answer. */
export interface PendingCall {
  /** Null for the start of the process. */
  request: Request | null
  /** When the process came to it; null before that. */
  begunAtMs: number | null
  /** Another was under way at the same time: what it took says little. */
  isShared: boolean
  resolve: (value: unknown) => void
  reject: (failure: LeadlineError) => void
}

/**
 * The calls that a process has not answered, and which of them it is at: it begins them in order, and the next when the
 * last is done. A load that goes on beside the others keeps only other loads waiting.
 */
export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>()

  /** Whether the process is at it as soon as it is there. */
  add(id: number, call: PendingCall): boolean {
    this.#calls.set(id, call)
    return this.underWay.includes(call)
  }

  take(id: number): PendingCall | undefined {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    return call
  }

  /** None is left afterwards. */
  takeAll(): { underWay: PendingCall[]; waiting: PendingCall[] } {
    const underWay = this.underWay
    const waiting = [...this.#calls.values()].filter((call) => !underWay.includes(call))
    this.#calls.clear()
    return { underWay, waiting }
  }

  /** One load that is beside the others at most, and one call that is not. */
  get underWay(): PendingCall[] {
    const underWay: PendingCall[] = []
    for (const call of this.#calls.values()) {
      const isBeside = call.request?.isBeside === true
      if (!isBeside) return [...underWay, call]
      if (underWay.length === 0) underWay.push(call)
    }
    return underWay
  }
}
