import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { RedisKeyStore } from '../../src/access/redis/redis-key-store.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { addKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { keyStoreSuite } from './key-store.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

async function open(prefix: string): Promise<RedisKeyStore> {
  const store = new RedisKeyStore(await RedisConnections.open(server.url, quietLog()), new RedisKeys(prefix))
  onTestFinished(() => store.close())
  return store
}

keyStoreSuite('the Redis', async () => {
  const prefix = randomPrefix()
  return [await open(prefix), await open(prefix)]
})

test('the value of a key is nowhere in Redis', async () => {
  const prefix = randomPrefix()
  const { key, value } = await addKey(await open(prefix))
  const redis = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => redis.close())
  const stored = await redis.control.hgetall(new RedisKeys(prefix).accessKeys())
  expect(Object.keys(stored)).toEqual([key.id])
  expect(JSON.stringify(stored)).not.toContain(value.slice(20))
})
