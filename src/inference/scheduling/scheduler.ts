import { largestBatch } from '../batch-sizes.ts'

/** A slot with a frame that could be stepped now. Plain data: the scheduler sees no tensor and no session. */
export interface Candidate {
  slot: string
  /** Rows of one step share a plan. */
  planKey: string
  /** The turn at which the slot began to wait: since its last step, or since its first frame. Lower waits longer. */
  waitingSince: number
}

export interface PickOptions<C> {
  /** Rows that a step may hold. */
  maxBatch: number
  /** Whether the step of the row that has waited longest of its plan is held back. Asked once a plan, in order. */
  isHeld: (first: C) => boolean
}

/**
 * The rows of the next step, at most one a slot: the slot that has waited longest, and with it those of the same plan,
 * longest first, as many as fill a batch. While a plan's step is held back, the next plan's turn comes: the device does not
 * wait. Since the longest-waiting that is not held is always served and a served slot waits anew, N slots of which none is
 * held are each served at least once in N steps.
 */
export function pickStep<C extends Candidate>(
  candidates: readonly C[],
  { maxBatch, isHeld }: PickOptions<C>
): C[] {
  const inOrder = [...candidates].sort((a, b) => a.waitingSince - b.waitingSince)
  for (const planKey of new Set(inOrder.map((candidate) => candidate.planKey))) {
    const alike = inOrder.filter((candidate) => candidate.planKey === planKey)
    if (!isHeld(alike[0]!)) return alike.slice(0, largestBatch(alike.length, maxBatch))
  }
  return []
}
