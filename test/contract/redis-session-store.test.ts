import { afterAll, beforeAll } from 'vitest'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { sessionOwnersSuite } from './session-owners.suite.ts'
import { sessionStoreSuite } from './session-store.suite.ts'
import type { MakeStore } from './session-store.suite.ts'
import { sessionWalkSuite } from './session-walk.suite.ts'

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

const makeStore: MakeStore = async (times) => new RedisSessionStore(redis, new Keys(randomPrefix()), times)

sessionStoreSuite('the Redis', makeStore)
sessionOwnersSuite('the Redis', makeStore)

sessionWalkSuite('the Redis', async () => {
  const keys = new Keys(randomPrefix())
  const ttlMs = 600_000
  const store = new RedisSessionStore(redis, keys, {
    ...{ workerTtlMs: ttlMs, gatewayTtlMs: ttlMs, rowTtlMs: ttlMs, claimMs: ttlMs },
    lostTtlMs: ttlMs
  })
  return { store, lapse: async (workerId) => void (await redis.control.del(keys.worker(workerId))) }
})
