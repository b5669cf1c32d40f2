import type { Bucket, Scrape } from './scrape.ts'
import { mergeBuckets, quantile } from './scrape.ts'

/** What was seen of one gateway at one moment. */
export interface GatewayLook {
  /** Its address without a path. */
  url: string
  /** null: it did not answer. */
  scrape: Scrape | null
  /** What it is not ready for, by name; empty: nothing. */
  missing: readonly string[]
}

/** How the frames of one gateway, or of several together, fared. Latencies are in milliseconds; null: no frame came. */
export interface GatewayFigures {
  streams: number
  framesPerSecond: number | null
  latencyMs: { p50: number | null; p99: number | null }
  drops: number
  errors: number
  continuity: Record<string, number>
}

/** Of one gateway, what can be added to that of others: counts, and observations by bucket. */
interface Counts {
  streams: number
  results: number
  drops: number
  errors: number
  continuity: Record<string, number>
  buckets: Bucket[]
}

/** The looks of one gateway, of which the earlier one may be missing. */
export interface Pair {
  now: Scrape
  before: Scrape | null
}

/**
 * Gateways together: what they counted is added up, histograms bucket by bucket, and only then asked for a percentile, since a mean
 * of percentiles is none. Since the looks before, or, where there are none, since each was started. `elapsedMs` null: there is no rate.
 */
export function figuresOf(pairs: readonly Pair[], elapsedMs: number | null): GatewayFigures {
  const counts = pairs.map(countsOf)
  const sum = (read: (one: Counts) => number): number => counts.reduce((all, one) => all + read(one), 0)
  const buckets = mergeBuckets(counts.map((one) => one.buckets))
  const latency = (share: number) => {
    const seconds = quantile(buckets, share)
    return seconds === null ? null : tenths(seconds * 1000)
  }
  const continuity: Record<string, number> = {}
  for (const one of counts)
    for (const [kind, count] of Object.entries(one.continuity))
      continuity[kind] = (continuity[kind] ?? 0) + count
  return {
    streams: sum(({ streams }) => streams),
    framesPerSecond:
      elapsedMs === null ? null : tenths((sum(({ results }) => results) * 1000) / Math.max(1, elapsedMs)),
    latencyMs: { p50: latency(0.5), p99: latency(0.99) },
    drops: sum(({ drops }) => drops),
    errors: sum(({ errors }) => errors),
    continuity
  }
}

function countsOf({ now, before }: Pair): Counts {
  // One that was started anew counts from nothing, and what it had before is not there to be taken off.
  const framesOf = (scrape: Scrape, outcome?: string) =>
    scrape.sum('leadline_frames_total', outcome === undefined ? {} : { outcome })
  const since = before !== null && framesOf(before) <= framesOf(now) ? before : null
  const counted = (outcome: string) =>
    framesOf(now, outcome) - (since === null ? 0 : framesOf(since, outcome))
  return {
    streams: now.sum('leadline_streams'),
    results: counted('result'),
    drops: counted('drop'),
    errors: counted('error'),
    continuity: now.by('leadline_continuity_total', 'kind'),
    buckets: now.buckets('leadline_frame_seconds', since)
  }
}

export function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
