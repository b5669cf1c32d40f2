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

  take(tokens: number): void {
    this.#tokens -= tokens
  }
}
