import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../src/sessions/redis/redis-gateway-link.ts'
import { RedisWorkerLink } from '../../src/sessions/redis/redis-worker-link.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { linkSuite } from './link.suite.ts'
import type { LinkEnds } from './link.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

for (const { name, fewStreams } of [
  { name: 'the Redis', fewStreams: undefined },
  { name: 'the Redis of many sessions', fewStreams: 0 }
])
  linkSuite(name, () => connect(fewStreams))

async function connect(fewStreams = 32): Promise<LinkEnds> {
  const keys = new Keys(randomPrefix())
  const log = quietLog()
  const redis = await RedisConnections.open(server.url, log)
  onTestFinished(() => redis.close())
  const gateway = new RedisGatewayLink({ redis, keys, log, fewStreams })
  onTestFinished(() => gateway.close())
  const makeWorker = (): RedisWorkerLink => {
    // Turns end almost at once, so that the suite crosses their ends many times.
    const worker = new RedisWorkerLink({ redis, keys, log, fewStreams, times: { lingerMs: 4, tickMs: 1 } })
    onTestFinished(() => worker.close())
    return worker
  }
  return { gateway, makeWorker }
}
