import { afterAll, beforeAll } from 'vitest'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { sessionStoreSuite } from './session-store.suite.ts'

let server: RedisServer
let redis: RedisConnections

beforeAll(async () => {
  server = await startRedis()
  redis = await RedisConnections.open(server.url, quietLog())
})
afterAll(async () => {
  redis.close()
  await server.stop()
})

sessionStoreSuite('the Redis', async (times) => new RedisSessionStore(redis, new Keys(randomPrefix()), times))
