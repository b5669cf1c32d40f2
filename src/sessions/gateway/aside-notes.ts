import type { Aside } from '../link.ts'
import type { DepthlessOutcome } from '../sessions.ts'

/** What the worker is still to be told beside the frames. */
export class AsideNotes {
  #acked: number | null = null
  #settled: DepthlessOutcome[] = []

  ack(seq: number): void {
    this.#acked = Math.max(this.#acked ?? -1, seq)
  }

  settle(outcome: DepthlessOutcome): void {
    this.#settled.push(outcome)
  }

  /** Null: nothing. */
  take(): Aside | null {
    if (this.#acked === null && this.#settled.length === 0) return null
    const aside = { acked: this.#acked, settled: this.#settled }
    this.#acked = null
    this.#settled = []
    return aside
  }
}
