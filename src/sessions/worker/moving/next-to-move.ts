/** A session that could move, as far as it matters for whose turn it is. */
export interface Movable {
  /** Without outcome. */
  framesInFlight: number
  /** Since its last frame came, or had its outcome. */
  idleMs: number
}

/** Longer than the gaps of any live stream. */
const idleAfterMs = 2000

/**
 * Whose turn it is to move: the idle first, longest idle first, since nobody waits for them. Of live ones, whose frame has just had
 * its outcome, since the next is the furthest off; those with frames in flight last, fewest first. Null: there is none.
 */
export function nextToMove<T extends { movable: Movable }>(candidates: Iterable<T>): T | null {
  return [...candidates].toSorted((a, b) => compare(a.movable, b.movable))[0] ?? null
}

function compare(a: Movable, b: Movable): number {
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0) return rank
  if (a.framesInFlight > 0) return a.framesInFlight - b.framesInFlight
  // Two parked ones are idle for ever.
  if (a.idleMs === b.idleMs) return 0
  return a.idleMs >= idleAfterMs ? b.idleMs - a.idleMs : a.idleMs - b.idleMs
}

function rankOf({ framesInFlight, idleMs }: Movable): number {
  if (framesInFlight > 0) return 2
  return idleMs >= idleAfterMs ? 0 : 1
}
