import type { Registry } from 'prom-client'
import { isWatched, watched } from '../../metering/meters.ts'
import type { TurnWorker } from './turn-worker.ts'
import type { RedisConnections } from './redis-connections.ts'

/** How the Redis of this process fares, once for all its connections. */
export function watchRedis(metrics: Registry, redis: RedisConnections): void {
  if (isWatched(metrics, 'leadline_redis_up')) return
  watched(metrics, 'leadline_redis_up', (set) => set(redis.isUp ? 1 : 0))
  watched(metrics, 'leadline_redis_ping_seconds', async (set) => {
    const beganMs = performance.now()
    await redis.control.ping()
    set((performance.now() - beganMs) / 1000)
  })
  watched(metrics, 'leadline_redis_outages_total', (set) => set(redis.outages))
  watched(metrics, 'leadline_redis_unsent_bytes', (set) => set(redis.unsentBytes))
}

/** The turns of this worker, by state. */
export function watchTurns(metrics: Registry, link: { readonly turns: TurnWorker | null }): void {
  watched(metrics, 'leadline_queue_jobs', async (set) => {
    const counts = (await link.turns?.counts()) ?? {}
    for (const [state, jobs] of Object.entries(counts)) set(jobs, { queue: 'turns', state })
  })
  watched(metrics, 'leadline_queue_restarts_total', (set) => set(link.turns?.restarts ?? 0))
}
