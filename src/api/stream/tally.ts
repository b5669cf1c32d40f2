import type { SummaryMessage } from '../../protocol.ts'
import type { Outgoing } from './outbox.ts'

/** Counts what a stream did, for its `summary`. */
export class Tally {
  readonly #startMs = performance.now()
  #frames = 0
  #results = 0
  #drops = 0
  #errors = 0

  frame(): void {
    this.#frames++
  }

  outgoing({ type }: Outgoing): void {
    if (type === 'result') this.#results++
    if (type === 'drop') this.#drops++
    if (type === 'error') this.#errors++
  }

  summary(): SummaryMessage {
    return {
      type: 'summary',
      frames: this.#frames,
      results: this.#results,
      drops: this.#drops,
      errors: this.#errors,
      seconds: Math.round(performance.now() - this.#startMs) / 1000
    }
  }
}
