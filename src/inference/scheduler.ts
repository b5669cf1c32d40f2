import { largestBatch } from './batch-sizes.ts'

/** A slot with a frame that could be stepped now. Plain data: the scheduler sees no tensor and no session. */
export interface Candidate {
  slot: string
  /** Rows of one step share a plan. */
  planKey: string
  /** The turn at which the slot began to wait: since its last step, or since its first frame. Lower waits longer. */
  waitingSince: number
}

/**
 * The rows of the next step, at most one a slot: the slot that has waited longest, and with it those of the same plan,
 * longest first, as many as fill a batch. Since the longest-waiting is always served and a served slot waits anew, N
 * slots are each served at least once in N steps.
 */
export function pickStep<C extends Candidate>(candidates: readonly C[], maxBatch: number): C[] {
  const inOrder = [...candidates].sort((a, b) => a.waitingSince - b.waitingSince)
  const first = inOrder[0]
  if (!first) return []
  const alike = inOrder.filter((candidate) => candidate.planKey === first.planKey)
  return alike.slice(0, largestBatch(alike.length, maxBatch))
}
