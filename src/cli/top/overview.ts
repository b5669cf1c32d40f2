import type { RemoteWorker } from '../remote-workers.ts'
import { quantile } from './scrape.ts'
import type { Scrape } from './scrape.ts'

/** What was seen of a server at one moment. */
export interface Look {
  atMs: number
  workers: readonly RemoteWorker[]
  /** Of the gateway that answered. */
  scrape: Scrape
  /** What it is not ready for, by name; empty: nothing. */
  missing: readonly string[]
}

/** One refresh of `leadline top`. Latencies are in milliseconds; null: no frame came. */
export interface Overview {
  at: string
  missing: readonly string[]
  total: {
    workers: number
    sessions: number
    parked: number
    reservedBytes: number
    capacityBytes: number
    framesPerSecond: number
  }
  /** Of the one that answered, since the refresh before; without one, since its start. */
  gateway: {
    streams: number
    framesPerSecond: number | null
    latencyMs: { p50: number | null; p99: number | null }
    drops: number
    errors: number
    continuity: Record<string, number>
  }
  workers: readonly RemoteWorker[]
}

export function overviewOf(look: Look, before: Look | null): Overview {
  const { atMs, missing, scrape, workers } = look
  const sum = (read: (worker: RemoteWorker) => number) =>
    workers.reduce((all, worker) => all + read(worker), 0)
  const since = (outcome: string) => {
    const labels = { outcome }
    return (
      scrape.sum('leadline_frames_total', labels) - (before?.scrape.sum('leadline_frames_total', labels) ?? 0)
    )
  }
  const buckets = scrape.buckets('leadline_frame_seconds', before?.scrape ?? null)
  const latency = (share: number) => {
    const seconds = quantile(buckets, share)
    return seconds === null ? null : tenths(seconds * 1000)
  }
  return {
    at: new Date(atMs).toISOString(),
    missing,
    total: {
      workers: workers.length,
      sessions: sum(({ sessions }) => sessions),
      parked: sum(({ pace }) => pace.parkedSessions),
      reservedBytes: sum(({ reservedBytes }) => reservedBytes),
      capacityBytes: sum(({ capacityBytes }) => capacityBytes),
      framesPerSecond: tenths(sum(({ pace }) => pace.framesPerSecond))
    },
    gateway: {
      streams: scrape.sum('leadline_streams'),
      framesPerSecond: before && tenths((since('result') * 1000) / Math.max(1, atMs - before.atMs)),
      latencyMs: { p50: latency(0.5), p99: latency(0.99) },
      drops: since('drop'),
      errors: since('error'),
      continuity: scrape.by('leadline_continuity_total', 'kind')
    },
    workers
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
