import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { RedisTicketStore } from '../../src/access/redis/redis-ticket-store.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { ticketStoreSuite } from './ticket-store.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

ticketStoreSuite('the Redis', async () => {
  const keys = new RedisKeys(randomPrefix())
  const open = async () => {
    const redis = await RedisConnections.open(server.url, quietLog())
    onTestFinished(() => redis.close())
    return new RedisTicketStore(redis, keys)
  }
  // Redis has its own clock, which is not behind this one by more than a millisecond or so.
  return { stores: [await open(), await open()], pass: (ms) => wait(ms + 20) }
})
