import type { StallMeter, StallStage } from '../../metrics/session-meters.ts'

/**
 * Tells the stages of a stall apart. Detection begins when the session fell silent while something of it was unanswered,
 * which is at most one frame after its worker died; rebuild ends with the next outcome.
 */
export class StallClock {
  readonly #meter: StallMeter
  readonly #now: () => number
  #silentSinceMs: number
  #stage: { name: StallStage; sinceMs: number } | null = null

  /** `now` gives milliseconds. */
  constructor(meter: StallMeter, now: () => number = () => performance.now()) {
    this.#meter = meter
    this.#now = now
    this.#silentSinceMs = now()
  }

  /** Something came from the worker, or is the first to be waited for: silence counts from here. */
  heard(): void {
    this.#silentSinceMs = this.#now()
  }

  /** The worker is lost. A second loss in one stall goes on in its first stage that is not over. */
  lost(): void {
    if (this.#stage) return this.#begin('placement')
    this.#stage = { name: 'detection', sinceMs: this.#silentSinceMs }
    this.#begin('placement')
  }

  placed(): void {
    this.#begin('rebuild')
  }

  outcome(): void {
    if (this.#stage?.name !== 'rebuild') return
    this.#end()
    this.#stage = null
  }

  #begin(name: StallStage): void {
    this.#end()
    this.#stage = { name, sinceMs: this.#now() }
  }

  #end(): void {
    if (this.#stage) this.#meter.stalled(this.#stage.name, (this.#now() - this.#stage.sinceMs) / 1000)
  }
}
