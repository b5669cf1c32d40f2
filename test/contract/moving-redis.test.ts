import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { RedisWorkerLink } from '../../src/sessions/redis/redis-worker-link.ts'
import { parkTimes } from '../../src/sessions/worker/parking/park-policy.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { notingStore } from '../helpers/noting-store.ts'
import { startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { redisCell } from '../helpers/redis-cell.ts'
import { movingFailuresSuite } from './moving-failures.suite.ts'
import { movingSuite } from './moving.suite.ts'
import type { MovingCell } from './moving-cell.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const cell = async (): Promise<MovingCell> => {
  const { keys, log, connect, startGateway } = redisCell(server.url)
  let workers = 0
  return {
    store: (await connect()).store,
    startGateway: async () => (await startGateway({ graceMs: 20_000, ringBytes: 2 ** 22 })).gateway,
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
}

movingSuite('over Redis', cell)
movingFailuresSuite('over Redis', cell)
