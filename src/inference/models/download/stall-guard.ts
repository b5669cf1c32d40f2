/** A signal that fires when nothing happens for a while, when `outer` does, or when it is closed. */
export class StallGuard {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  #isStalled = false
  readonly #timer: NodeJS.Timeout

  constructor(idleTimeoutMs: number, outer: AbortSignal | undefined) {
    const own = this.#controller.signal
    this.signal = outer === undefined ? own : AbortSignal.any([own, outer])
    this.#timer = setTimeout(() => {
      this.#isStalled = true
      this.#controller.abort()
    }, idleTimeoutMs)
  }

  get isStalled(): boolean {
    return this.#isStalled
  }

  /** Something happened. */
  touch(): void {
    this.#timer.refresh()
  }

  /** Fires too: a response that nobody reads would hold its connection. */
  close(): void {
    clearTimeout(this.#timer)
    this.#controller.abort()
  }
}
