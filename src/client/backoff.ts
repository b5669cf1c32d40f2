const baseMs = 100
const capMs = 5000

/**
 * How long to wait before the attempt with this number, from 0. Full jitter: clients that lost their sockets together come
 * back spread over the whole time, see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter.
 * `random` is in [0, 1); `retryAfterMs` is what the server asked for, which it has spread itself.
 */
export function backoffMs(attempt: number, random: number, retryAfterMs = 0): number {
  return Math.max(retryAfterMs, random * Math.min(capMs, baseMs * 2 ** attempt))
}
