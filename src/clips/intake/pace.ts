/** What comes slower on the whole holds a place for too long. */
export const minBytesPerSecond = 16_384
/** Before that nobody knows how fast it comes. */
const judgedAfterMs = 10_000

/** How fast something comes, on the whole. */
export class Pace {
  readonly #nowMs: () => number
  readonly #startMs: number
  #bytes = 0

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    this.#startMs = nowMs()
  }

  get elapsedMs(): number {
    return this.#nowMs() - this.#startMs
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  get isTooSlow(): boolean {
    return this.elapsedMs > judgedAfterMs && this.#bytes * 1000 < this.elapsedMs * minBytesPerSecond
  }
}
