import type { RedisConnections } from './redis-connections.ts'

const everyMs = 1000

/**
 * Gives `meta` of a BullMQ queue a life for as long as the queue is served: each look for stalled jobs writes that key where
 * it is missing, without one, be the queue empty or not.
 * @param base what the names of the queue's keys start with
 * @returns ends it, once more at last; for when nobody looks any more
 */
export function keepQueueMeta(redis: RedisConnections, base: string, ttlMs: number): () => Promise<void> {
  const keep = async () => {
    // The next one comes soon; a queue is not what tells that Redis is away.
    if (redis.isUp) await redis.frames.pexpire(`${base}meta`, ttlMs).catch(() => undefined)
  }
  const timer = setInterval(() => void keep(), everyMs).unref()
  return () => {
    clearInterval(timer)
    return keep()
  }
}
