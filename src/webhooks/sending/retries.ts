const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Between a try and the next, as Standard Webhooks 1.0.0 proposes: nine tries in some 32 hours. */
export const retryDelaysMs: readonly number[] = [
  5000,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  ...[6 * hourMs, 8 * hourMs, 10 * hourMs]
]

/** Up to a fifth more or less, so that what failed together does not come back together. `random` lies in [0, 1). */
export function jittered(delayMs: number, random: number): number {
  return Math.round(delayMs * (0.8 + 0.4 * random))
}
