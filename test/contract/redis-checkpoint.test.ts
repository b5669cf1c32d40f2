import { pino } from 'pino'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { Access } from '../../src/access/index.ts'
import { buildApp } from '../../src/api/index.ts'
import { redisWorker } from '../../src/sessions/index.ts'
import type { FrameEngine } from '../../src/frame-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { redisConfig, startGateway } from '../helpers/redis-service.ts'
import { startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { checkpointSuite } from './checkpoint.suite.ts'

let redis: RedisServer
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

checkpointSuite('over Redis', async (engine, wishes) => {
  const config = { ...redisConfig(redis.url), ...wishes, port: 0 }
  const serve = async () => {
    const sessions = await startGateway(config)
    const app = await buildApp({ access: new Access(null), config, sessions, log: pino({ level: 'silent' }) })
    onTestFinished(() => app.close())
    return app.listen({ host: '127.0.0.1', port: 0 })
  }
  const work = async (engineOfIt: FrameEngine) => {
    const worker = await redisWorker(config, engineOfIt, { log: quietLog() })
    onTestFinished(() => worker.close())
    return worker
  }
  let last = await work(engine)
  return {
    url: await serve(),
    elsewhere: async (next) => {
      const newcomer = await work(next)
      void last.drain()
      last = newcomer
      return serve()
    }
  }
})
