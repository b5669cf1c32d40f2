import { setTimeout as wait } from 'node:timers/promises'
import { isPassing, isRefusal } from './redis-connections.ts'
import type { RedisConnections } from './redis-connections.ts'
import { patienceMs } from '../heartbeat.ts'

export const retryMs = 50

/**
 * Send a command again until Redis answers it, for as long as a blip may last. The command must be one that can be sent
 * again although it was carried out. Throws STORE_UNAVAILABLE.
 */
export async function patiently<T>(redis: RedisConnections, send: () => Promise<T>): Promise<T> {
  const giveUpAtMs = performance.now() + patienceMs
  for (;;) {
    try {
      return await send()
    } catch (error) {
      const isFinal = isRefusal(error) && !isPassing(error)
      if (isFinal || performance.now() > giveUpAtMs || redis.isClosed) throw redis.unavailable(error)
    }
    await wait(retryMs)
  }
}
