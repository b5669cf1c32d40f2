import { Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { StallMeter } from './stall-clock.ts'

/** A beat of a lease, what Redis takes for it to run out, and minutes until a new worker is there. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 30, 60]

/** Counts what the stalls of lost sessions are made of. */
export function stallMetrics(registry: Registry): StallMeter {
  const seconds = new Histogram({
    name: 'leadline_session_stall_seconds',
    help: 'Time in which a session gave nothing since its worker was lost, by stage: detection, placement, rebuild',
    labelNames: ['stage'] as const,
    buckets,
    registers: [registry]
  })
  return { stalled: (stage, value) => seconds.observe({ stage }, value) }
}
