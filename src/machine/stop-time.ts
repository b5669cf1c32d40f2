/** Longest time that stopping a process may take, in milliseconds: less than the 30 s that Kubernetes waits before it kills. */
export const stopMs = 25_000

/** When a process that begins to stop now has to have stopped, on the clock of performance.now(). */
export function stopBy(): number {
  return performance.now() + stopMs
}

/** Wait for `work`, but not beyond `untilMs`. Rejects as it does. */
export async function until(untilMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, untilMs - performance.now())))
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Close `first`, then `second`, whatever becomes of the first. The second does not wait for the first any longer than
 * until `latestMs`: what the first waits for may be in it.
 */
export async function closeInOrder(
  latestMs: number,
  first: Promise<void>,
  second: () => Promise<void>
): Promise<void> {
  try {
    await until(latestMs, first)
  } finally {
    await second()
  }
  await first
}
