import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { BullmqClipQueue } from '../../src/clips/redis/bullmq-clip-queue.ts'
import { ClipKeys } from '../../src/clips/redis/clip-keys.ts'
import { RedisClipBook } from '../../src/clips/redis/redis-clip-book.ts'
import { RedisIdempotencyBook } from '../../src/clips/redis/redis-idempotency-book.ts'
import { RedisConnections, RedisScripts } from '../../src/sessions/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { readLeftovers } from '../helpers/redis-leftovers.ts'
import { testClip } from '../helpers/test-clip.ts'
import { clipBookSuite, idempotencySuite } from './clip-book.suite.ts'
import { clipQueueSuite } from './clip-queue.suite.ts'

const scriptFolder = new URL('../../src/clips/redis/scripts/', import.meta.url)
let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

async function open(prefix = randomPrefix()) {
  const redis = await RedisConnections.open(server.url, quietLog(), prefix)
  onTestFinished(() => redis.close())
  const keys = new ClipKeys(prefix)
  const scripts = new RedisScripts(redis.control, scriptFolder)
  const book = new RedisClipBook(redis, scripts, keys)
  const queue = new BullmqClipQueue({ redis, scripts, keys, storage: 'here', log: quietLog() })
  return { book, queue, prefix, requests: new RedisIdempotencyBook(redis, keys) }
}

describe('the book in Redis', () => clipBookSuite(async () => (await open()).book))

describe('the book of requests in Redis', () => idempotencySuite(async () => (await open()).requests))

describe('the queue of BullMQ', () => {
  clipQueueSuite(async () => (await open()).queue)

  test('a turn whose gateway died comes again at another', async () => {
    const second = await open()
    const dead = await open(second.prefix)
    await dead.queue.add('a', null)
    const taken: string[] = []
    dead.queue.serve(({ id }) => {
      taken.push(`dead ${id}`)
      return new Promise(() => undefined)
    })
    await eventually(() => taken).toEqual(['dead a'])
    // As if its process were gone: nothing more is said over its connections.
    await dead.book.close()
    second.queue.serve(async ({ id }) => {
      taken.push(`alive ${id}`)
      return 'over'
    })
    onTestFinished(() => second.queue.close())
    await expect.poll(() => taken, { timeout: 60_000 }).toEqual(['dead a', 'alive a'])
  }, 90_000)
})

test('an idle queue leaves no key without a life where Redis has forgotten everything', async () => {
  const { queue, prefix } = await open()
  queue.serve(() => Promise.resolve('over' as const))
  onTestFinished(() => queue.close())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const meta = `${new ClipKeys(prefix).queueBase('here')}meta`
  for (let times = 0; times < 2; times++) {
    await eventually(() => redis.pttl(meta)).toBeGreaterThan(0)
    await redis.flushall()
  }
})

test('no key of clips is without a life, and the rows that are read lie in the slot of the prefix', async () => {
  const { book, queue, prefix } = await open()
  for (const owner of [null, 'somebody']) {
    const clip = testClip({ id: randomUUID() })
    await book.put({ clip, owner, storage: 'here' })
    await queue.add(clip.id, owner)
  }
  await book.know('here')
  let served = 0
  queue.serve(async () => {
    served++
    return 'over'
  })
  await eventually(() => served).toBe(2)
  await eventually(async () => (await readLeftovers(server.url, prefix)).immortal).toEqual([])
  await queue.close()
})
