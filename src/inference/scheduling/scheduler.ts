import { largestBatch } from '../batch-sizes.ts'
import type { ClassedClaim, LiveFirst } from '../fairness/live-first.ts'

/** A slot with a frame that could be stepped now. Plain data: the scheduler sees no tensor and no session. */
export interface Candidate extends ClassedClaim {
  slot: string
  /** Rows of one step share a plan and a class: a clip's row would make the step of a live one longer. */
  planKey: string
}

export interface PickOptions<C> {
  /** Rows that a step may hold. */
  maxBatch: number
  /** Who comes first, by milliseconds of the device. */
  turns: Pick<LiveFirst, 'order'>
  /** Whether the step of the first row of its plan is held back. Asked once a plan and class, in order. */
  isHeld: (first: C) => boolean
}

/**
 * The rows of the next step, at most one a slot: of the tenant that had least of the device the slot that has waited longest,
 * and with it those of the same plan and class, in the same order, as many as fill a batch. While a plan's step is held back,
 * the next plan's turn comes: the device does not wait, but where only clips are left beside live rows that are held, whose
 * steps would be longer than the wait. Since the first that is not held is always served and a served slot waits anew, N slots
 * of one tenant and class of which none is held are each served at least once in N of its steps.
 */
export function pickStep<C extends Candidate>(
  candidates: readonly C[],
  { maxBatch, turns, isHeld }: PickOptions<C>
): C[] {
  for (let rest = turns.order(candidates); rest.length > 0;) {
    const first = rest[0]!
    const alike = rest.filter((candidate) => mayShareStep(candidate, first))
    if (!isHeld(first)) return alike.slice(0, largestBatch(alike.length, maxBatch))
    rest = rest.filter((candidate) => !mayShareStep(candidate, first))
  }
  return []
}

export function mayShareStep(
  a: Pick<Candidate, 'planKey' | 'service'>,
  b: Pick<Candidate, 'planKey' | 'service'>
): boolean {
  return a.planKey === b.planKey && a.service === b.service
}
