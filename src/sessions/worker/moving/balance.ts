import type { WorkerRow } from '../../session-store.ts'

/** When it is worth moving a session for an even load, though nobody has to leave. */
export interface BalanceTerms {
  /** How much fuller one worker must be than another, as a share of its device memory (0 to 1). */
  threshold: number
}

/**
 * The worker that should have one of this one's sessions, of `bytes` each; null: none. That is the emptiest, if it takes new
 * sessions, and if this one is fuller by more than the threshold now and still not emptier afterwards. So two workers never
 * send a session to and fro, and one that has just joined is filled from the fullest.
 */
export function fairTarget(
  workers: readonly WorkerRow[],
  ownId: string,
  { bytes, threshold }: BalanceTerms & { bytes: number }
): WorkerRow | null {
  const own = workers.find(({ id }) => id === ownId)
  if (!own || own.offer.capacityBytes === 0) return null
  const others = workers.filter(
    ({ id, draining, offer }) => id !== ownId && !draining && offer.capacityBytes > 0
  )
  const target = others.toSorted((a, b) => load(a, 0) - load(b, 0))[0]
  if (!target) return null
  const isFuller = load(own, 0) - load(target, 0) > threshold
  return isFuller && load(own, -bytes) >= load(target, bytes) ? target : null
}

/** The share of its device memory that is reserved, with so many bytes more. */
function load({ reservedBytes, offer }: WorkerRow, moreBytes: number): number {
  return (reservedBytes + moreBytes) / offer.capacityBytes
}
