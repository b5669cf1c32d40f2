import { Worker } from 'bullmq'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Deferred } from '../../../src/deferred.ts'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { TurnWorker } from '../../../src/sessions/redis/turn-worker.ts'
import { TurnQueues } from '../../../src/sessions/redis/turns.ts'
import { stopBy } from '../../../src/machine/stop-time.ts'
import { eventually } from '../../helpers/eventually.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'

type Create = NonNullable<ConstructorParameters<typeof TurnWorker>[0]['create']>

async function startTurns(create?: Create, run?: (id: string) => Promise<void>) {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const log = quietLog()
  const redis = await RedisConnections.open(server.url, log)
  onTestFinished(() => redis.close())
  const options = { redis, log, keys: new Keys(randomPrefix()) }
  const taken: string[] = []
  const worker = new TurnWorker({
    ...options,
    ...{
      workerId: 'w',
      run: run ?? (async (id: string) => void taken.push(id)),
      ...(create ? { create } : {})
    },
    canary: { everyMs: 50, silentMs: 1000 }
  })
  onTestFinished(() => worker.close(stopBy()))
  const queues = new TurnQueues(options)
  onTestFinished(() => queues.close())
  const errors = () => log.lines.filter(({ level }) => level === 'error').length
  const active = () => redis.control.lrange(`${options.keys.turnBase('w')}active`, 0, -1)
  return { server, redis, worker, queues, taken, errors, active }
}

test('a BullMQ worker that takes nothing is noticed and started again, and its turns are taken', async () => {
  let made = 0
  const { queues, taken, errors } = await startTurns(
    // The first never begins to take jobs.
    (name, process, options) => new Worker(name, process, { ...options, autorun: made++ > 0 })
  )
  await queues.add('w', 'a', '1')
  await eventually(() => taken).toEqual(['a'])
  expect(made).toBe(2)
  expect(errors()).toBe(1)
}, 60_000)

test('a turn that is over after BullMQ was started again, or that lost its lock, does not stay in the queue', async () => {
  const turns = new Map<string, Deferred<void>>()
  const made: Worker[] = []
  const { queues, redis, worker, active } = await startTurns(
    (...values) => {
      made.push(new Worker(...values))
      return made.at(-1)!
    },
    (id) => {
      turns.set(id, new Deferred())
      return turns.get(id)!.promise
    }
  )
  await queues.add('w', 'a', '1')
  await queues.add('w', 'b', '2')
  await eventually(() => turns.size).toBe(2)
  // Nothing is renewed any more, as on a machine that is too busy.
  await made[0]!.close(true)
  await worker.sweep()
  await worker.sweep()
  expect((await active()).sort()).toEqual(['a-1', 'b-2'])
  turns.get('a')!.resolve()
  turns.get('b')!.resolve()
  // Over, but locked: BullMQ may be about to remove them.
  for (let look = 0; look < 3; look++) await worker.sweep()
  expect((await active()).sort()).toEqual(['a-1', 'b-2'])
  await redis.control.unlink(...(await redis.control.keys('*a-1:lock')))
  await eventually(async () => {
    await worker.sweep()
    return active()
  }).toEqual(['b-2'])
  await redis.control.unlink(...(await redis.control.keys('*b-2:lock')))
  await eventually(async () => {
    await worker.sweep()
    return active()
  }).toEqual([])
  expect(await redis.control.keys('*a-1*')).toEqual([])
}, 60_000)

test('of one that takes jobs nothing is said, also while Redis is away or has forgotten them', async () => {
  const { server, queues, redis, taken, errors } = await startTurns()
  await queues.add('w', 'a', '1')
  await eventually(() => taken).toEqual(['a'])
  for (let round = 0; round < 30; round++) {
    await redis.control.flushall()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await server.kill()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await server.restart()
  await eventually(() => redis.isUp).toBe(true)
  await queues.add('w', 'b', '2')
  await eventually(() => taken).toEqual(['a', 'b'])
  expect(errors()).toBe(0)
  const keys = await redis.control.keys('*')
  for (const key of keys) await eventually(() => redis.control.pttl(key)).not.toBe(-1)
}, 60_000)

test('the queue of a worker that was taken for dead is removed in one step, after which it takes turns still', async () => {
  const { queues, redis, taken } = await startTurns()
  const keys = () => redis.control.keys('*')
  await queues.remove('nobody')
  for (const id of ['a', 'b']) await queues.add('w', id, '1')
  await eventually(() => taken).toEqual(['a', 'b'])
  const sent = vi.spyOn(redis.frames, 'sendCommand')
  const removed = queues.remove('w')
  expect(sent.mock.calls.length).toBe(1)
  await removed
  // The worker looks for turns all the time, and a canary is out now and then.
  expect((await keys()).filter((key) => /:(a|b)-1/.test(key))).toEqual([])
  await queues.add('w', 'c', '1')
  await eventually(() => taken).toEqual(['a', 'b', 'c'])
}, 60_000)
