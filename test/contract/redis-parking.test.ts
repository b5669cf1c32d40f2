import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisSessionStore } from '../../src/sessions/redis/redis-session-store.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { redisConfig, startGateway, startWorker } from '../helpers/redis-service.ts'
import { parkingSuite } from './parking.suite.ts'
import type { ParkingCell, ParkingCellOptions } from './parking.suite.ts'
import { partedRowsSuite } from './parted-rows.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

parkingSuite('over Redis', makeCell)
partedRowsSuite('over Redis', makeCell)

async function makeCell({ capacityBytes, parkAfterMs }: ParkingCellOptions): Promise<ParkingCell> {
  const config = { ...redisConfig(server.url), parkAfterMs }
  const { engine } = await startWorker(config, new HashEngine(capacityBytes))
  const redis = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => redis.close())
  const store = new RedisSessionStore(redis, new Keys(config.keyPrefix), storeTimes)
  return { engine, store, gateway: await startGateway(config) }
}
