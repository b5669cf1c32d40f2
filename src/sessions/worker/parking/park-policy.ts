/** A session that takes device memory, as far as it matters for who gives its own away. */
export interface Seat {
  id: string
  /** Of device memory. */
  bytes: number
  canPark: boolean
  /** The lower, the sooner it is parked. */
  priority: number
  /** Whether no gateway holds it. */
  isDetached: boolean
  /** Frames without outcome. */
  framesInFlight: number
  /** Since the last frame came, or had its outcome. */
  idleMs: number
  /** Its client was told that it will be parked, and has sent nothing since. */
  isNoticed: boolean
}

export interface ParkTimes {
  /** How long a session is idle before it is parked though nobody needs its memory; 0: never. */
  afterMs: number
  /** The same of one that no gateway holds. */
  detachedAfterMs: number
  /** How long before that its client is told. */
  noticeMs: number
  /** How long a session is idle before it is parked for another: longer than the gaps of any live stream. */
  spareMs: number
}

export function parkTimes(afterMs: number): ParkTimes {
  return {
    ...{ afterMs, detachedAfterMs: Math.min(afterMs, 5000) },
    ...{ noticeMs: Math.min(5000, afterMs / 2), spareMs: 2000 }
  }
}

export interface ParkSteps {
  /** To be told, and in how many milliseconds they are parked. */
  notices: { id: string; deadlineMs: number }[]
  parks: string[]
}

/** Who has been idle for long enough. Never with a frame in flight. */
export function parkSteps(seats: readonly Seat[], times: ParkTimes): ParkSteps {
  const steps: ParkSteps = { notices: [], parks: [] }
  if (times.afterMs === 0) return steps
  for (const { id, bytes, canPark, isDetached, framesInFlight, idleMs, isNoticed } of seats) {
    const leftMs = (isDetached ? times.detachedAfterMs : times.afterMs) - idleMs
    if (framesInFlight > 0 || bytes === 0 || !canPark) continue
    if (leftMs <= 0) steps.parks.push(id)
    else if (!isNoticed && leftMs <= times.noticeMs) steps.notices.push({ id, deadlineMs: leftMs })
  }
  return steps
}

export interface Need {
  /** What is wanted beyond what is free. */
  bytes: number
  spareMs: number
}

/**
 * Whom to park so that `bytes` become free: lower priority first, then who has been idle for longest. Nobody, where that
 * would not be enough.
 */
export function toMakeRoom(seats: readonly Seat[], { bytes, spareMs }: Need): string[] {
  const chosen: string[] = []
  let freed = 0
  for (const seat of spare(seats, spareMs)) {
    chosen.push(seat.id)
    freed += seat.bytes
    if (freed >= bytes) return chosen
  }
  return []
}

/** Device memory that could be had by parking. */
export function parkableBytes(seats: readonly Seat[], spareMs: number): number {
  return spare(seats, spareMs).reduce((sum, { bytes }) => sum + bytes, 0)
}

function spare(seats: readonly Seat[], spareMs: number): Seat[] {
  return seats
    .filter((seat) => seat.canPark && seat.bytes > 0 && seat.framesInFlight === 0 && seat.idleMs >= spareMs)
    .sort((a, b) => a.priority - b.priority || b.idleMs - a.idleMs)
}
