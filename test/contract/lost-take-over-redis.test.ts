import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../src/sessions/redis/redis-gateway-link.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { RedisWorkerLink } from '../../src/sessions/redis/redis-worker-link.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { lostTakeOverSuite } from './lost-take-over.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

lostTakeOverSuite('over Redis', async () => {
  const keys = new Keys(randomPrefix())
  const log = quietLog()
  const connect = async () => {
    const redis = await RedisConnections.open(server.url, log)
    onTestFinished(() => redis.close())
    return { redis, store: new RedisSessionStore(redis, keys, storeTimes) }
  }
  let workers = 0
  return {
    store: (await connect()).store,
    startGateway: async (options) => {
      const { redis, store } = await connect()
      const link = new RedisGatewayLink({ redis, keys, log })
      const gateway = new SessionGateway({ store, link, log, ...options })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return Object.assign(gateway, { kill: () => void redis.close() })
    },
    startWorker: async (engine) => {
      const { redis, store } = await connect()
      const link = new RedisWorkerLink({ redis, keys, log })
      const worker = new SessionWorker({ engine, log, store, link, workerId: `w${++workers}` })
      await worker.start()
      onTestFinished(() => worker.close())
      return { kill: () => void redis.close(), close: () => worker.close() }
    }
  }
})
