import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { RedisConnections } from '../../src/sessions/index.ts'
import { RedisMeter } from '../../src/usage/redis/redis-meter.ts'
import { RedisUsageStore } from '../../src/usage/redis/redis-usage-store.ts'
import { UsageKeys } from '../../src/usage/redis/usage-keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { always, entryOf } from '../helpers/usage-entry.ts'
import { usageStoreSuite } from './usage-store.suite.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

async function open(prefix: string) {
  const keys = new UsageKeys(prefix)
  const redis = await RedisConnections.open(server.url, quietLog())
  const store = new RedisUsageStore(redis, keys)
  const meter = new RedisMeter(redis, keys)
  onTestFinished(async () => {
    meter.close()
    await store.close()
  })
  return { redis, store, meter }
}

usageStoreSuite('Redis, by a gateway', async () => {
  const { store } = await open(randomPrefix())
  return { meter: store, store }
})

usageStoreSuite('Redis, by a worker', async () => {
  const prefix = randomPrefix()
  const { meter } = await open(prefix)
  return { meter, store: (await open(prefix)).store }
})

test('no key of usage is without a life', async () => {
  const prefix = randomPrefix()
  const { redis, meter } = await open(prefix)
  await meter.count(entryOf())
  await meter.count(entryOf())
  const keys = await redis.control.keys(`{${prefix}}*`)
  expect(keys).toHaveLength(2)
  for (const key of keys) expect(await redis.control.pttl(key)).toBeGreaterThan(0)
})

describe('what a worker counts', () => {
  let cell: Awaited<ReturnType<typeof open>>
  beforeEach(async () => {
    cell = await open(randomPrefix())
  })
  const frames = async () => (await cell.store.read(always))[0]?.amounts.frames ?? 0
  const count = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => cell.meter.count(entryOf({}, from + i)))

  test('is all there, once, when its connection was cut in the middle', async () => {
    const counting = [...count(0, 100)]
    cell.redis.frames.stream.destroy()
    counting.push(...count(100, 200))
    await Promise.all(counting)
    expect(await frames()).toBe(200)
  })

  test('is all there, once, and in order, when Redis forgets its scripts in between', async () => {
    const counting: Promise<boolean>[] = []
    for (let i = 0; i < 20; i++) {
      counting.push(...count(10 * i, 10 * (i + 1)))
      await cell.redis.control.script('FLUSH')
    }
    await Promise.all(counting)
    expect(await frames()).toBe(200)
  })

  test('is counted where Redis is full', async () => {
    await cell.redis.control.config('SET', 'maxmemory', '1')
    onTestFinished(() => void cell.redis.control.config('SET', 'maxmemory', '0'))
    await expect(cell.redis.control.set('other', 'x')).rejects.toThrow('OOM')
    await Promise.all(count(0, 3))
    await cell.redis.control.config('SET', 'maxmemory', '0')
    expect(await frames()).toBe(3)
  })

  test('goes on to be counted when Redis has forgotten everything', async () => {
    await Promise.all(count(0, 5))
    await cell.redis.control.flushall()
    await Promise.all(count(5, 8))
    expect(await frames()).toBe(3)
  })

  test('is in Redis before what is sent after it', async () => {
    const stream = 'outcomes'
    const counting: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      counting.push(...count(i, i + 1), cell.redis.frames.xadd(stream, '*', 'seq', i))
      const [told, counted] = await Promise.all([cell.redis.control.xlen(stream), frames()])
      expect(counted).toBeGreaterThanOrEqual(told)
    }
    await Promise.all(counting)
    expect(await frames()).toBe(50)
  })
})
