import type { Registry } from 'prom-client'
import { watched } from '../metering/meters.ts'

interface Counted {
  /** By state. */
  counts(): Promise<Readonly<Record<string, number>>>
}

export function watchQueues(
  metrics: Registry,
  queues: Readonly<Record<'clips' | 'webhooks', Counted>>
): void {
  for (const [queue, counted] of Object.entries(queues))
    watched(metrics, 'leadline_queue_jobs', async (set) => {
      for (const [state, jobs] of Object.entries(await counted.counts())) set(jobs, { queue, state })
    })
}
