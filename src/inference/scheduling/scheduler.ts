import { largestBatch } from '../batch-sizes.ts'
import type { Claim, FairShare } from '../fairness/fair-share.ts'

/** A slot with a frame that could be stepped now. Plain data: the scheduler sees no tensor and no session. */
export interface Candidate extends Claim {
  slot: string
  /** Rows of one step share a plan. */
  planKey: string
}

export interface PickOptions<C> {
  /** Rows that a step may hold. */
  maxBatch: number
  /** What the tenants had so far, in milliseconds of the device. */
  shares: FairShare
  /** Whether the step of the first row of its plan is held back. Asked once a plan, in order. */
  isHeld: (first: C) => boolean
}

/**
 * The rows of the next step, at most one a slot: of the tenant that had least of the device the slot that has waited longest,
 * and with it those of the same plan, in the same order, as many as fill a batch. While a plan's step is held back, the next
 * plan's turn comes: the device does not wait. Since the first that is not held is always served and a served slot waits
 * anew, N slots of one tenant of which none is held are each served at least once in N of its steps.
 */
export function pickStep<C extends Candidate>(
  candidates: readonly C[],
  { maxBatch, shares, isHeld }: PickOptions<C>
): C[] {
  const inOrder = shares.order(candidates)
  for (const planKey of new Set(inOrder.map((candidate) => candidate.planKey))) {
    const alike = inOrder.filter((candidate) => candidate.planKey === planKey)
    if (!isHeld(alike[0]!)) return alike.slice(0, largestBatch(alike.length, maxBatch))
  }
  return []
}
