import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { redisWorker } from '../../src/sessions/index.ts'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../src/sessions/redis/redis-gateway-link.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { readLeftovers } from '../helpers/redis-leftovers.ts'
import { redisConfig } from '../helpers/redis-service.ts'
import type { Cell } from './cell.ts'
import { leftSessionSuite } from './left-session.suite.ts'
import { sessionListSuite } from './session-list.suite.ts'
import { takeOverSuite } from './take-over.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const makeCell = async (): Promise<Cell> => {
  const config = redisConfig(server.url)
  const keys = new Keys(config.keyPrefix)
  const engine = new HashEngine()
  const worker = await redisWorker(config, engine, { log: quietLog() })
  onTestFinished(() => worker.close())
  const connect = async () => {
    const redis = await RedisConnections.open(server.url, quietLog())
    onTestFinished(() => redis.close())
    return redis
  }
  const storeOver = (redis: RedisConnections) =>
    new RedisSessionStore(redis, keys, { ...storeTimes, gatewayTtlMs: 1000 })
  return {
    engine,
    store: storeOver(await connect()),
    addGateway: async ({ graceMs = 20_000 } = {}) => {
      const redis = await connect()
      const link = new RedisGatewayLink({ redis, keys, log: quietLog() })
      const gateway = new SessionGateway({ store: storeOver(redis), link, log: quietLog(), graceMs })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return Object.assign(gateway, { vanish: () => redis.close() })
    },
    leftovers: () => readLeftovers(server.url, config.keyPrefix)
  }
}

for (const suite of [takeOverSuite, leftSessionSuite, sessionListSuite]) suite('over Redis', makeCell)
