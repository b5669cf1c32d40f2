import { Redis } from 'ioredis'
import { Keys } from '../../src/sessions/redis/keys.ts'

export interface Leftovers {
  /** Keys that nothing will ever remove. */
  immortal: string[]
  /** Bytes and sessions that a worker's row counts beyond those of its sessions' rows. */
  unaccounted: Record<string, { bytes: number; sessions: number }>
  /** Whatever there is of sessions. */
  ofSessions: string[]
}

/** What of one prefix lies in a Redis although nobody will take it away. */
export async function readLeftovers(url: string, keyPrefix: string): Promise<Leftovers> {
  const redis = new Redis(url)
  try {
    const keys = new Keys(keyPrefix)
    const leftovers: Leftovers = { immortal: [], unaccounted: {}, ofSessions: [] }
    for (const key of await redis.keys(`{${keyPrefix}}*`)) {
      if ((await redis.pttl(key)) === -1) leftovers.immortal.push(key)
      if (key.startsWith(keys.sessionBase())) leftovers.ofSessions.push(key)
    }
    for (const id of await redis.smembers(keys.workers())) {
      const [reserved, count] = await redis.hmget(keys.worker(id), 'reservedBytes', 'sessions')
      const ids = await redis.smembers(keys.workerSessions(id))
      const bytes = await Promise.all(
        ids.map(async (s) => Number(await redis.hget(keys.session(s), 'bytes')))
      )
      const beyond = {
        bytes: Number(reserved) - bytes.reduce((sum, one) => sum + one, 0),
        sessions: Number(count) - ids.length
      }
      if (beyond.bytes !== 0 || beyond.sessions !== 0) leftovers.unaccounted[id] = beyond
    }
    return leftovers
  } finally {
    redis.disconnect()
  }
}
