import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import { EventLog } from '../../helpers/event-log.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine, hashOptions, testFrame } from '../../helpers/hash-engine.ts'
import { startLinkProxy } from '../../helpers/link-proxy.ts'
import { startRedis } from '../../helpers/redis.ts'
import type { RedisServer } from '../../helpers/redis.ts'
import {
  expectNothingLeft,
  openStream,
  redisConfig,
  startGateway,
  startWorker
} from '../../helpers/redis-service.ts'

/** What lasts longer than a lease: no session hangs, what ends does so by name, and nothing of it stays. */

async function ownRedis(): Promise<{ server: RedisServer; redis: Redis }> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  return { server, redis }
}

test('a full Redis ends sessions that send, leaves those that rest, and keeps every lease', async () => {
  const { server, redis } = await ownRedis()
  const config = redisConfig(server.url)
  const { id, engine } = await startWorker(config, new HashEngine(200))
  const gateway = await startGateway(config)
  const resting = new EventLog()
  const rests = await gateway.open(hashOptions, resting.push)
  const sending = await openStream(gateway)
  await sending.advance(3)
  await redis.config('SET', 'maxmemory', '1mb')
  const { code } = (await sending.log.ended()).at(-1) as { code: string }
  expect(['STORE_UNAVAILABLE', 'WORKER_LOST']).toContain(code)
  await eventually(() => engine.sessions.size).toBe(1)
  expect(await redis.hget(new Keys(config.keyPrefix).worker(id), 'reservedBytes')).toBe('100')
  const refused = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('refuses: OOM') }
  await expect(gateway.open(hashOptions, () => {})).rejects.toMatchObject(refused)
  expect(resting.all).toEqual([])
  await redis.config('SET', 'maxmemory', '0')
  rests.submit(testFrame(0, Buffer.from('a')))
  await resting.until((events) => events.length === 1)
  expect(resting.results().length).toBe(1)
  const again = await openStream(gateway)
  await again.advance(3)
  await again.finish()
  await rests.close()
  await expectNothingLeft(server.url, config)
}, 60_000)

test('a master that became a replica ends every session by name, and serves when it is one again', async () => {
  const { server, redis } = await ownRedis()
  const { server: master } = await ownRedis()
  const config = redisConfig(server.url)
  const { engine } = await startWorker(config)
  const gateway = await startGateway(config)
  const resting = new EventLog()
  await gateway.open(hashOptions, resting.push)
  const sending = await openStream(gateway)
  await sending.advance(3)
  await redis.call('REPLICAOF', '127.0.0.1', String(master.port))
  for (const log of [resting, sending.log]) {
    const { code } = (await log.ended()).at(-1) as { code: string }
    // The replica takes on what its master holds, which may be nothing, before the gateway's patience is over.
    expect(['STORE_UNAVAILABLE', 'WORKER_LOST']).toContain(code)
  }
  await eventually(() => engine.sessions.size).toBe(0)
  await eventually(() => gateway.readiness()).toMatchObject({ ready: false })
  await redis.call('REPLICAOF', 'NO', 'ONE')
  await eventually(() => gateway.readiness()).toEqual({ ready: true })
  const again = await openStream(gateway)
  await again.advance(3)
  await again.finish()
  await expectNothingLeft(server.url, config)
}, 60_000)

test('a gateway that reaches Redis no more ends its sessions, and their worker frees them', async () => {
  const { server } = await ownRedis()
  const proxy = await startLinkProxy(server.port)
  onTestFinished(() => proxy.stop())
  const config = redisConfig(server.url)
  const { engine } = await startWorker(config)
  const gateway = await startGateway({ ...config, redisUrl: `redis://127.0.0.1:${proxy.port}` })
  const resting = new EventLog()
  await gateway.open(hashOptions, resting.push)
  const sending = await openStream(gateway)
  await sending.advance(3)
  proxy.blackHole()
  for (const log of [resting, sending.log]) {
    expect((await log.ended()).at(-1)).toMatchObject({ type: 'error', seq: null, code: 'STORE_UNAVAILABLE' })
  }
  await eventually(() => engine.sessions.size).toBe(0)
  await expect(gateway.open(hashOptions, () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  proxy.heal()
  await eventually(() => gateway.readiness()).toEqual({ ready: true })
  const again = await openStream(gateway)
  await again.advance(30)
  await again.finish()
  await expectNothingLeft(server.url, config)
}, 60_000)

test('a worker that reaches Redis no more loses its sessions and comes back by itself', async () => {
  const { server } = await ownRedis()
  const proxy = await startLinkProxy(server.port)
  onTestFinished(() => proxy.stop())
  const config = redisConfig(server.url)
  const { engine } = await startWorker({ ...config, redisUrl: `redis://127.0.0.1:${proxy.port}` })
  const gateway = await startGateway(config)
  const stream = await openStream(gateway)
  await stream.advance(3)
  proxy.blackHole()
  expect((await stream.log.ended()).at(-1)).toMatchObject({ seq: null, code: 'WORKER_LOST' })
  await eventually(() => engine.sessions.size).toBe(0)
  proxy.heal()
  await eventually(() => gateway.readiness()).toEqual({ ready: true })
  const again = await openStream(gateway)
  await again.advance(3)
  await again.finish()
  await expectNothingLeft(server.url, config)
}, 60_000)

test('a Redis that forgets everything ends every session by name', async () => {
  const { server, redis } = await ownRedis()
  const config = redisConfig(server.url)
  const { engine } = await startWorker(config)
  const gateway = await startGateway(config)
  const stream = await openStream(gateway)
  await stream.advance(3)
  await redis.flushall()
  const { code } = (await stream.log.ended()).at(-1) as { code: string }
  expect(['STORE_UNAVAILABLE', 'WORKER_LOST']).toContain(code)
  await eventually(() => engine.sessions.size).toBe(0)
  await eventually(() => gateway.readiness()).toEqual({ ready: true })
  const again = await openStream(gateway)
  await again.advance(3)
  await again.finish()
  await expectNothingLeft(server.url, config)
}, 60_000)
