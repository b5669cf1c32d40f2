/**
 * A rate over time: a second's worth may come at once, and the average holds. What is larger than that may come when there
 * is anything left, and is paid off afterwards; otherwise it never could.
 */
export class TokenBucket {
  readonly #perSecond: number
  #tokens: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#atMs = nowMs
  }

  /** Whether this may come now; `share` of the rate, at most 1, is for here. */
  isReady(nowMs: number, share: number): boolean {
    const refill = ((nowMs - this.#atMs) / 1000) * this.#perSecond * share
    this.#tokens = Math.min(this.#perSecond, this.#tokens + refill)
    this.#atMs = nowMs
    return this.#tokens > 0
  }

  /** Whether a new bucket would have no more. As of the last look. */
  get isFull(): boolean {
    return this.#tokens >= this.#perSecond
  }

  /** Milliseconds until the next may come, by this share of the rate. As of the last look. */
  waitMs(share: number): number {
    return Math.max(0, (-this.#tokens / (this.#perSecond * share)) * 1000)
  }

  take(tokens: number): void {
    this.#tokens -= tokens
  }
}
