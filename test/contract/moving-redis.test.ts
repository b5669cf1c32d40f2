import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../src/sessions/redis/redis-gateway-link.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { RedisWorkerLink } from '../../src/sessions/redis/redis-worker-link.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { parkTimes } from '../../src/sessions/worker/parking/park-policy.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { notingStore } from '../helpers/noting-store.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { movingSuite } from './moving.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

movingSuite('over Redis', async () => {
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
    startGateway: async () => {
      const { redis, store } = await connect()
      const link = new RedisGatewayLink({ redis, keys, log })
      const gateway = new SessionGateway({ store, link, log, graceMs: 20_000, ringBytes: 2 ** 22 })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return gateway
    },
    startWorker: async (engine, { parkAfterMs = 0, balanceAbove = 1 } = {}) => {
      const { redis, store: own } = await connect()
      const { store, onCommit } = notingStore(own)
      const link = new RedisWorkerLink({ redis, keys, log })
      const id = `w${++workers}`
      const worker = new SessionWorker({
        engine,
        log,
        store,
        link,
        workerId: id,
        balanceAbove,
        parking: parkTimes(parkAfterMs)
      })
      await worker.start()
      onTestFinished(() => worker.close())
      return {
        id,
        drain: () => worker.drain(),
        close: () => worker.close(),
        kill: () => redis.close(),
        onCommit
      }
    }
  }
})
