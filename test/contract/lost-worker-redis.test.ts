import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { RedisWorkerLink } from '../../src/sessions/redis/redis-worker-link.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { redisCell } from '../helpers/redis-cell.ts'
import { lostWorkerSuite } from './lost-worker.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

lostWorkerSuite('over Redis', async () => {
  const { keys, log, connect, startGateway } = redisCell(server.url)
  let workers = 0
  return {
    startGateway: async (options) => (await startGateway(options)).gateway,
    startWorker: async (engine) => {
      const { redis, store } = await connect()
      const link = new RedisWorkerLink({ redis, keys, log })
      const worker = new SessionWorker({ engine, log, store, link, workerId: `w${++workers}` })
      await worker.start()
      onTestFinished(() => worker.close())
      return { kill: () => redis.close() }
    }
  }
})
