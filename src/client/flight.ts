import type { LeadlineError } from '../errors.ts'
import type { Outcome } from './outcome.ts'

type Waiter = { resolve: () => void; reject: (error: LeadlineError) => void }

/** Frames on their way: sent, outcome not yet here. Says when one more may be sent. */
export class Flight {
  readonly #sentAtMs = new Map<number, number>()
  readonly #waiters: Waiter[] = []
  /** Places that were given to waiters who have not sent yet. */
  #reserved = 0
  #maxInFlight = 0
  #ended: LeadlineError | null = null

  /** From now on this many frames may be on their way. */
  allow(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight
    this.#admit()
  }

  get unsettled(): number {
    return this.#sentAtMs.size
  }

  /** Resolves, in the order of calling, when a frame may be sent; `depart` must follow at once. */
  async room(): Promise<void> {
    if (this.#ended !== null) throw this.#ended
    const admitted = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    this.#admit()
    return admitted
  }

  depart(seq: number, nowMs: number): void {
    this.#reserved--
    this.#sentAtMs.set(seq, nowMs)
  }

  /** The frame's outcome is here: how long it took, null if it was not on its way. */
  settle(seq: number, nowMs: number): number | null {
    const sentAtMs = this.#sentAtMs.get(seq)
    if (sentAtMs === undefined) return null
    this.#sentAtMs.delete(seq)
    this.#admit()
    return nowMs - sentAtMs
  }

  /** The stream is over: whatever is on its way fails with `error`, and nobody may send any more. */
  end(error: LeadlineError, nowMs: number): Outcome[] {
    this.#ended ??= error
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
    const lost = [...this.#sentAtMs].map(([seq, sentAtMs]): Outcome => ({
      type: 'error',
      seq,
      latencyMs: nowMs - sentAtMs,
      error
    }))
    this.#sentAtMs.clear()
    return lost
  }

  #admit(): void {
    while (this.#waiters.length > 0 && this.#sentAtMs.size + this.#reserved < this.#maxInFlight) {
      this.#reserved++
      this.#waiters.shift()?.resolve()
    }
  }
}
