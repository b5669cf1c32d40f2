import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import type { Sessions } from '../../../src/sessions/index.ts'
import { RedisWorkerLink } from '../../../src/sessions/redis/redis-worker-link.ts'
import { SessionWorker } from '../../../src/sessions/worker/session-worker.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine } from '../../helpers/hash-engine.ts'
import { redisCell } from '../../helpers/redis-cell.ts'
import { startRedis } from '../../helpers/redis.ts'
import { ResumingClient } from '../../helpers/resuming-client.ts'

/** A Redis that forgets everything takes no session with it that has no worker just then: gateways know of it. */

const settings = { ringBytes: 2 ** 20, graceMs: 30_000 }

/** A session that had five frames, on a worker, and two gateways. */
async function playing() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const { keys, log, connect, startGateway } = redisCell(server.url)
  const { store } = await connect()
  let workers = 0
  const startWorker = async (prepare: (link: RedisWorkerLink) => void = () => {}) => {
    const own = await connect()
    const link = new RedisWorkerLink({ redis: own.redis, keys, log })
    prepare(link)
    const workerId = `w${++workers}`
    const worker = new SessionWorker({ engine: new HashEngine(), log, store: own.store, link, workerId })
    await worker.start()
    onTestFinished(() => worker.close())
    return { kill: () => own.redis.close() }
  }
  const worker = await startWorker()
  const [gateway, other] = [await startGateway(settings), await startGateway(settings)]
  const client = await ResumingClient.open(gateway.gateway)
  client.send(0, 1, 2, 3, 4)
  await client.received(5)
  const lost = () => eventually(async () => (await store.session(client.id))?.state).toBe('lost')
  return { redis, store, startWorker, worker, gateway, other, client, lost }
}

test.each(['before', 'after'] as const)(
  'a session goes on when Redis forgets it %s the loss of its worker was noted',
  async (when) => {
    const { client, lost, redis, startWorker, worker } = await playing()
    worker.kill()
    client.send(5)
    if (when === 'after') await lost()
    await redis.flushall()
    client.send(6)
    await startWorker()
    await client.received(7)
    expect(client.witness()).toEqual(['exact'])
  }
)

test('one that is open since just now goes on, although nobody could read its row', async () => {
  const { gateway, redis, startWorker, worker } = await playing()
  worker.kill()
  let flushed: Promise<unknown> | null = null
  const last = await startWorker((link) => {
    const { emit } = link
    link.emit = (...said) => {
      if (said[2].type !== 'opened') return emit.apply(link, said)
      flushed ??= redis.flushall().then(() => emit.apply(link, said))
    }
  })
  const client = await eventuallyOpen(gateway.gateway)
  await flushed
  last.kill()
  client.send(0)
  await startWorker()
  await client.received(1)
  expect(client.witness()).toHaveLength(1)
})

test('one that waits for its client is written anew by the gateway that it left', async () => {
  const { client, other, redis, startWorker, worker } = await playing()
  await client.handle.detach()
  worker.kill()
  await redis.flushall()
  await startWorker()
  await client.resumeInTime(other.gateway)
  client.send(5)
  await client.received(6)
  expect(client.witness()).toEqual(['rebuilt'])
})

test('one that lost its gateway as well is written anew by the one that noted that', async () => {
  const { client, gateway, lost, other, redis, startWorker, worker } = await playing()
  gateway.redis.close()
  worker.kill()
  await lost()
  // Answers come in the order of questions: it has read by then what it noted.
  for (let i = 0; i < 2; i++) await other.gateway.list({ owner: null, cursor: null, limit: 1 })
  await redis.flushall()
  await startWorker()
  await client.resumeInTime(other.gateway)
  client.send(5)
  await client.received(6)
  expect(client.witness()).toEqual(['rebuilt'])
})

test('one that Redis has as it was before its last change of worker goes on under the newer token', async () => {
  const { client, lost, redis, startWorker, store, worker } = await playing()
  const old = await redis.dumpBuffer((await redis.keys(`*:session:${client.id}`))[0]!)
  worker.kill()
  const second = await startWorker()
  await client.received(5)
  await eventually(async () => (await store.session(client.id))?.token).toBe(2)
  client.send(5)
  await client.received(6)
  second.kill()
  await lost()
  const key = (await redis.keys(`*:session:${client.id}`))[0]!
  await redis.flushall()
  await redis.restore(key, 60_000, old)
  client.send(6)
  await startWorker()
  await client.received(7)
  expect(client.witness()).toEqual(['exact', 'exact'])
})

/** As soon as there is a worker that has room. */
async function eventuallyOpen(gateway: Sessions): Promise<ResumingClient> {
  for (;;) {
    try {
      return await ResumingClient.open(gateway)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
