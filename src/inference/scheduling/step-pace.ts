import type { ServiceClass } from '../../metering/measures.ts'
import { largestBatch } from '../batch-sizes.ts'
import { nextBeatMs, waitForMore, type Rhythm } from './batch-wait.ts'

/** What could be stepped now, and who else of its class is streaming the same plan. */
export interface Group {
  planKey: string
  service: ServiceClass
  /** Of the sessions whose frames are ready. */
  ready: readonly (Rhythm | null)[]
  /** Of those whose next frames are still to come. */
  coming: readonly (Rhythm | null)[]
}

/** Share of a new step in what a step of its size usually takes. */
const newShare = 0.2
/** How many times the usual a step may count. */
const mostOfUsual = 2

/** How large steps may be, how long they take, and how long the next one is held back for the sake of a larger batch. */
export class StepPace {
  #maxBatch: number
  readonly #usualMs = new Map<string, number>()
  /** Of one row, by plan, in steps of whatever size. */
  readonly #rowMs = new Map<string, number>()
  /** By class and plan. */
  readonly #heldSinceMs = new Map<string, number>()

  constructor(maxBatch: number) {
    this.#maxBatch = maxBatch
  }

  /** Rows that a step may hold. */
  get maxBatch(): number {
    return this.#maxBatch
  }

  /** A step of so many rows was too much for the device's memory. */
  shrink(rows: number): void {
    this.#maxBatch = Math.min(this.#maxBatch, largestBatch(Math.max(1, rows >> 1), rows))
  }

  /** A step of so many rows has taken so long. */
  measured(planKey: string, rows: number, ms: number): void {
    const key = `${planKey}*${rows}`
    const usual = this.#usualMs.get(key)
    this.#usualMs.set(key, usual === undefined ? ms : usual + newShare * (ms - usual))
  }

  /** What a row of the plan usually takes, in milliseconds; 0: none was stepped yet. */
  rowMs(planKey: string): number {
    return this.#rowMs.get(planKey) ?? 0
  }

  /** What of the time that one row took counts as its own: what held up a step that is quick else is nobody's. */
  ownMs(planKey: string, ms: number): number {
    const usual = this.#rowMs.get(planKey) ?? ms
    const own = Math.min(ms, mostOfUsual * usual)
    this.#rowMs.set(planKey, usual + newShare * (own - usual))
    return own
  }

  /** Milliseconds until the step should be started; 0 for now, which ends the wait. */
  hold({ planKey, service, ready, coming }: Group, nowMs: number): number {
    const key = `${service} ${planKey}`
    const heldSinceMs = this.#heldSinceMs.get(key) ?? nowMs
    const waitMs = waitForMore({
      nowMs,
      ready: ready.length,
      expectedMs: momentsOf(coming),
      deadlineMs: momentsOf(ready).reduce<number | null>((a, b) => (a === null ? b : Math.min(a, b)), null),
      heldSinceMs,
      stepMs: (rows) => this.#usualMs.get(`${planKey}*${rows}`) ?? null,
      maxBatch: this.#maxBatch
    })
    if (waitMs > 0) this.#heldSinceMs.set(key, heldSinceMs)
    else this.#heldSinceMs.delete(key)
    return waitMs
  }

  /** Whether waiting can ever pay for `rows` that are ready. */
  mayHold(rows: number): boolean {
    return 2 * largestBatch(rows, this.#maxBatch) <= this.#maxBatch
  }
}

function momentsOf(rhythms: readonly (Rhythm | null)[]): number[] {
  return rhythms
    .map((rhythm) => rhythm && nextBeatMs(rhythm))
    .filter((moment): moment is number => moment !== null)
}
