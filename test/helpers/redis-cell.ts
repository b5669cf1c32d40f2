import { onTestFinished } from 'vitest'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import type { SessionGatewayOptions } from '../../src/sessions/gateway/session-gateway.ts'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../src/sessions/redis/redis-gateway-link.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { quietLog } from './quiet-log.ts'
import { randomPrefix } from './redis.ts'

/** Gateways and connections of one prefix, closed when the test is over. */
export function redisCell(url: string) {
  const keys = new Keys(randomPrefix())
  const log = quietLog()
  const connect = async () => {
    const redis = await RedisConnections.open(url, log)
    onTestFinished(() => redis.close())
    return { redis, store: new RedisSessionStore(redis, keys, storeTimes) }
  }
  const startGateway = async (options: Partial<SessionGatewayOptions> = {}) => {
    const { redis, store } = await connect()
    const link = new RedisGatewayLink({ redis, keys, log })
    const gateway = new SessionGateway({ store, link, log, ...options })
    await gateway.start()
    onTestFinished(() => gateway.close())
    return { gateway, redis }
  }
  return { keys, log, connect, startGateway }
}
