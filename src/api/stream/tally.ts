import type { SummaryMessage } from '../../wire/protocol.ts'
import type { FrameOutcome } from '../../sessions/index.ts'

/** Counts what was sent over one socket, for its `summary`. */
export class Tally {
  readonly #startMs = performance.now()
  readonly #counts = { result: 0, drop: 0, error: 0 }

  add({ type }: FrameOutcome): void {
    this.#counts[type]++
  }

  summary(): SummaryMessage {
    const { result: results, drop: drops, error: errors } = this.#counts
    return {
      ...{ type: 'summary', frames: results + drops + errors, results, drops, errors },
      seconds: Math.round(performance.now() - this.#startMs) / 1000
    }
  }
}
