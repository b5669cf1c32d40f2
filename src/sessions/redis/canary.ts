/** What a job is called that is no turn. */
export const canaryName = 'canary'

export interface CanaryTimes {
  /** How often one is released, after the last came back. */
  everyMs?: number
  /** One that has not come back by then will not. */
  silentMs?: number
}

interface CanaryOptions extends CanaryTimes {
  /** Put one into the queue. */
  release: (id: string) => Promise<void>
  /** Whether it lies in the queue still: a Redis that forgets takes it along. */
  isWaiting: (id: string) => Promise<boolean>
  /** Whether Redis can be reached: else its absence says nothing. */
  isUp: () => boolean
  /** None has come back. Called once for each that does not. */
  onSilence: () => void
}

/**
 * Tells whether whoever takes jobs from a queue still takes any: a job that does nothing is put in now and then. While Redis
 * is away none is released, and one that is on its way is given the whole time again.
 */
export class Canary {
  readonly #options: CanaryOptions
  readonly #everyMs: number
  readonly #silentMs: number
  readonly #timer: NodeJS.Timeout
  #number = 0
  /** `performance.now()` when the one that is out was released, or could last have been held up. */
  #outSinceMs: number | null = null
  #backAtMs = performance.now()

  constructor(options: CanaryOptions) {
    const { everyMs = 10_000, silentMs = 10_000 } = options
    this.#options = options
    this.#everyMs = everyMs
    this.#silentMs = silentMs
    this.#timer = setInterval(() => this.#look(), Math.min(1000, everyMs))
  }

  cameBack(id: string): void {
    if (id !== String(this.#number)) return
    this.#outSinceMs = null
    this.#backAtMs = performance.now()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    if (this.#outSinceMs === null) {
      if (now - this.#backAtMs >= this.#everyMs && this.#options.isUp()) this.#release(now)
    } else if (!this.#options.isUp()) this.#outSinceMs = now
    else if (now - this.#outSinceMs >= this.#silentMs) {
      this.#outSinceMs = now
      void this.#judge(String(this.#number))
    }
  }

  async #judge(id: string): Promise<void> {
    const isWaiting = await this.#options.isWaiting(id).catch(() => false)
    if (this.#outSinceMs === null) return
    if (isWaiting) this.#options.onSilence()
    this.#release(performance.now())
  }

  #release(now: number): void {
    this.#outSinceMs = now
    this.#number += 1
    this.#options.release(String(this.#number)).catch(() => {
      this.#outSinceMs = null
      this.#backAtMs = performance.now()
    })
  }
}
