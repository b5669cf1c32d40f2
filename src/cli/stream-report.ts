import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import type { ConnectionEvent, Outcome } from '../client/index.ts'
import type { Continuity } from '../session.ts'
import { continuities } from '../session.ts'

export interface StreamSummary {
  /** Depth maps received. */
  frames: number
  /** Of them, those of frames that show nothing. */
  blank: number
  fps: number
  latency_ms: { p50: number; p95: number }
  drops: number
  errors: number
  /** Sockets after the first. */
  reconnects: number
  /** What was left of the past at the worst moment: exact unless the servers lost it. */
  continuity: Continuity
  /** SHA-256 over the values of every depth map, as float32, in order: equal for equal runs. */
  digest: string
}

/** Counts and times the outcomes of one run. */
export class StreamReport {
  readonly #startMs: number
  readonly #latenciesMs: number[] = []
  readonly #hash: Hash = createHash('sha256')
  #endMs: number
  #drops = 0
  #blank = 0
  #errors = 0
  #firstError: string | null = null
  #reconnects = 0
  #continuity: Continuity = 'exact'

  constructor(nowMs: number) {
    this.#startMs = nowMs
    this.#endMs = nowMs
  }

  add(outcome: Outcome, nowMs: number): void {
    this.#endMs = nowMs
    if (outcome.type === 'drop') this.#drops++
    if (outcome.type === 'error') {
      this.#errors++
      this.#firstError ??= `frame ${outcome.seq}: ${outcome.error.message}`
    }
    if (outcome.type !== 'result') return
    this.#latenciesMs.push(outcome.latencyMs)
    if (outcome.isBlank) this.#blank++
    this.#hash.update(new Uint8Array(outcome.values().buffer))
  }

  connection(event: ConnectionEvent): void {
    if (event.type === 'resumed') this.#reconnects++
    if (event.type === 'resumed' || event.type === 'recovered')
      this.#continuity = worst(this.#continuity, event.continuity)
  }

  get firstError(): string | null {
    return this.#firstError
  }

  /** Depth maps so far. */
  get frames(): number {
    return this.#latenciesMs.length
  }

  get fps(): number {
    const seconds = (this.#endMs - this.#startMs) / 1000
    return seconds > 0 ? round(this.#latenciesMs.length / seconds) : 0
  }

  #percentileMs(share: number): number {
    return round(percentile(this.#latenciesMs, share))
  }

  /** Once, at the end. */
  summary(): StreamSummary {
    return {
      frames: this.frames,
      blank: this.#blank,
      fps: this.fps,
      latency_ms: { p50: this.#percentileMs(0.5), p95: this.#percentileMs(0.95) },
      drops: this.#drops,
      errors: this.#errors,
      reconnects: this.#reconnects,
      continuity: this.#continuity,
      digest: this.#hash.digest('hex')
    }
  }
}

/** Nearest rank: the smallest value that at least `share` of all do not exceed; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

function worst(...found: Continuity[]): Continuity {
  return continuities[Math.max(...found.map((one) => continuities.indexOf(one)))] ?? 'new'
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
