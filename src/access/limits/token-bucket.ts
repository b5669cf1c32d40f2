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

  /** Whether this may come now; `taken` a second come elsewhere on the same account. */
  isReady(nowMs: number, taken: number): boolean {
    const refill = Math.max(0, this.#perSecond - taken)
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((nowMs - this.#atMs) / 1000) * refill)
    this.#atMs = nowMs
    return this.#tokens > 0
  }

  take(tokens: number): void {
    this.#tokens -= tokens
  }
}
