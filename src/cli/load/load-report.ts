import type { ConnectionEvent } from '../../client/index.ts'
import type { ErrorCode, LeadlineError } from '../../errors.ts'
import type { Continuity } from '../../session.ts'
import { percentile } from '../stream-report.ts'
import type { LoadedOutcome } from './load-session.ts'

export interface LoadSummary {
  sessions: number
  framesPerSecond: number
  seconds: number
  /** Frames by what became of them. */
  results: number
  drops: Record<string, number>
  errors: Record<string, number>
  /** Depth maps a second, of all sessions together, from the first that was due to the last that came. */
  achievedFps: number
  /** From when a frame was due to its depth map. */
  latencyMs: { p50: number; p90: number; p95: number; p99: number; p999: number; max: number }
  /** What sessions were told of their past, resumed or lost. */
  continuity: Record<Continuity, number>
  reconnects: number
  /** Sessions that could not be opened, or ended early, by code. */
  failed: Record<string, number>
}

/** Counts what became of the frames of all sessions of a load. */
export class LoadReport {
  readonly #latenciesMs: number[] = []
  readonly #drops: Record<string, number> = {}
  readonly #errors: Record<string, number> = {}
  readonly #failed: Record<string, number> = {}
  readonly #continuity: Record<Continuity, number> = { exact: 0, rebuilt: 0, new: 0 }
  #reconnects = 0
  #lastMs = 0

  get results(): number {
    return this.#latenciesMs.length
  }

  outcome({ outcome, latencyMs }: LoadedOutcome, nowMs: number): void {
    if (outcome.type === 'drop') return count(this.#drops, outcome.reason)
    if (outcome.type === 'error') return count(this.#errors, outcome.error.code)
    this.#latenciesMs.push(latencyMs)
    this.#lastMs = nowMs
  }

  connection(event: ConnectionEvent): void {
    if (event.type === 'resumed') this.#reconnects += 1
    if (event.type === 'recovered' || (event.type === 'resumed' && event.continuity === 'exact'))
      this.#continuity[event.continuity] += 1
  }

  failed({ code }: Pick<LeadlineError, 'code'>): void {
    count(this.#failed, code satisfies ErrorCode)
  }

  /** Once, at the end. */
  summary(load: Pick<LoadSummary, 'sessions' | 'framesPerSecond' | 'seconds'>, startMs: number): LoadSummary {
    const sorted = this.#latenciesMs.sort((a, b) => a - b)
    const rank = (share: number) => tenths(percentile(sorted, share))
    const spanS = (this.#lastMs - startMs) / 1000
    return {
      ...load,
      ...{ results: sorted.length, drops: this.#drops, errors: this.#errors },
      achievedFps: spanS > 0 ? tenths(sorted.length / spanS) : 0,
      latencyMs: {
        ...{ p50: rank(0.5), p90: rank(0.9), p95: rank(0.95), p99: rank(0.99), p999: rank(0.999) },
        max: rank(1)
      },
      ...{ continuity: this.#continuity, reconnects: this.#reconnects, failed: this.#failed }
    }
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
