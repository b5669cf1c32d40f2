import type { Redis } from 'ioredis'
import type { Log } from '../log.ts'

/** Warns where a full Redis would throw keys away. One that does not tell its policy is taken at its word. */
export async function warnOfEviction(redis: Redis, log: Log): Promise<void> {
  const info = await redis.info('memory').catch(() => '')
  const [, policy] = /^maxmemory_policy:(\S+)/m.exec(info) ?? []
  if (policy === undefined || policy === 'noeviction') return
  log.warn(
    { policy },
    `Redis throws sessions away when it is full; set its maxmemory-policy to noeviction, not ${policy}`
  )
}
