import { DelayedError, Queue, Worker } from 'bullmq'
import type { Job } from 'bullmq'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { mortalQueues } from '../../../src/sessions/redis/mortal-queues.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { eventually } from '../../helpers/eventually.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'
import type { RedisServer } from '../../helpers/redis.ts'

/** Nothing here prolongs anything: what BullMQ writes has a life by itself, or none. */

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const ttlMs = 600_000

async function start() {
  const redis = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => redis.close())
  const prefix = `{${randomPrefix()}}`
  const openQueue = (name: string, life = ttlMs): Queue => {
    const queue = new Queue(name, {
      connection: mortalQueues(redis.frames, life),
      prefix,
      skipMetasUpdate: true
    })
    onTestFinished(() => queue.close())
    return queue
  }
  /** All keys, with what each has left, at one moment. */
  const lives = async (): Promise<Record<string, number>> => {
    const look = `
      local lives = {}
      for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
        lives[#lives + 1] = key
        lives[#lives + 1] = redis.call('PTTL', key)
      end
      return lives`
    const flat = (await redis.control.eval(look, 0, `${prefix}*`)) as (string | number)[]
    return Object.fromEntries(flat.flatMap((key, i) => (i % 2 === 0 ? [[key, Number(flat[i + 1])]] : [])))
  }
  const immortal = async (): Promise<string[]> =>
    Object.entries(await lives()).flatMap(([key, ms]) => (ms === -1 ? [key] : []))
  return { redis, prefix, openQueue, lives, immortal }
}

test('whatever BullMQ writes of a queue has a life, however far its jobs are', async () => {
  const { redis, prefix, openQueue, lives, immortal } = await start()
  const queue = openQueue('q')
  await queue.add('waits', {}, { jobId: 'waits' })
  await queue.addBulk([
    { name: 'one', data: {} },
    { name: 'other', data: {} }
  ])
  await queue.add('comes later', {}, { delay: 1 })
  await queue.add('is in a hurry', {}, { priority: 3 })
  await queue.add('fails', {}, { attempts: 2, backoff: { type: 'fixed', delay: 1 } })
  await queue.add('is put back', {}, { jobId: 'is put back' })
  expect(Object.keys(await lives()).length).toBeGreaterThan(8)
  expect(await immortal()).toEqual([])
  const take = async (job: Job, token?: string): Promise<void> => {
    expect(await immortal()).toEqual([])
    await job.updateProgress(1)
    if (job.name === 'fails') throw new Error('as it was to')
    if (job.name !== 'is put back' || job.attemptsStarted > 1) return
    await job.moveToDelayed(Date.now(), token)
    throw new DelayedError()
  }
  const connection = mortalQueues(redis.waiting(), ttlMs)
  const worker = new Worker('q', take, { connection, prefix, concurrency: 3, lockDuration: 1000 })
  onTestFinished(() => worker.close(true))
  await eventually(async () => {
    expect(await immortal()).toEqual([])
    return queue.getJobCounts('completed', 'failed')
  }).toEqual({ completed: 6, failed: 1 })
  await queue.obliterate({ force: true })
  expect(await immortal()).toEqual([])
}, 60_000)

test('a life is only begun: what has one, or a shorter one of its own, keeps it', async () => {
  const { redis, openQueue, lives, prefix } = await start()
  const queue = openQueue('q')
  await queue.add('a', {})
  const wait = `${prefix}:q:wait`
  await redis.control.pexpire(wait, ttlMs / 2)
  await queue.add('b', {})
  const left = await lives()
  expect(left[wait]).toBeLessThanOrEqual(ttlMs / 2)
  expect(left[`${prefix}:q:id`]).toBeGreaterThan(ttlMs / 2)
})

test('queues of different lives share a connection', async () => {
  const { openQueue, lives, prefix } = await start()
  await openQueue('short', ttlMs).add('a', {})
  await openQueue('long', 10 * ttlMs).add('a', {})
  const left = await lives()
  expect(left[`${prefix}:short:wait`]).toBeLessThanOrEqual(ttlMs)
  expect(left[`${prefix}:long:wait`]).toBeGreaterThan(ttlMs)
})

test('what its scripts refuse they refuse still', async () => {
  const { openQueue } = await start()
  const queue = openQueue('q')
  const parent = { id: 'nobody', queue: '{elsewhere}:q' }
  await expect(queue.add('a', {}, { parent })).rejects.toThrow('nobody')
  expect(await queue.getJobCounts('waiting')).toEqual({ waiting: 0 })
})
