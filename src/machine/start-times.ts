import type { Registry } from 'prom-client'
import { watched } from '../metering/meters.ts'

/** What a process comes to: it serves; it has made its first depth map. */
export type Milestone = 'ready' | 'first_depth'

const known = new WeakMap<Registry, Map<Milestone, number>>()

/**
 * Note that the process whose figures these are has come so far, and when: in seconds since it was started, before anything of it was
 * loaded. Said again it is as of then: where a worker and a gateway are one process, both have to serve.
 */
export function reached(registry: Registry, milestone: Milestone): number {
  const seconds = process.uptime()
  timesOf(registry).set(milestone, seconds)
  return seconds
}

function timesOf(registry: Registry): Map<Milestone, number> {
  const times = known.get(registry) ?? new Map<Milestone, number>()
  if (known.has(registry)) return times
  known.set(registry, times)
  watched(registry, 'leadline_start_seconds', (set) => {
    for (const [until, seconds] of times) set(seconds, { until })
  })
  return times
}
