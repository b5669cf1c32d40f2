import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import type { Sessions } from '../../../src/sessions/index.ts'
import { EventLog } from '../../helpers/event-log.ts'
import { eventually } from '../../helpers/eventually.ts'
import { hashOptions, testFrame } from '../../helpers/hash-engine.ts'
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
import type { Stream } from '../../helpers/redis-service.ts'

/** What lasts longer than a lease: sessions are kept, new ones refused, and what Redis has forgotten is written anew. */

async function ownRedis(): Promise<{ server: RedisServer; redis: Redis }> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  redis.on('error', () => {})
  onTestFinished(() => redis.disconnect())
  return { server, redis }
}

interface Service {
  server: RedisServer
  redis: Redis
  config: Config
  gateways: [Sessions, Sessions]
  streams: Stream[]
  /** Every stream goes on, then ends well and leaves nothing; nothing lives in Redis for ever. */
  expectUnharmed(): Promise<void>
}

/** Two gateways and two workers, with streams, a session that rests and one that waits for its client. */
async function startService({ numStreams = 4 } = {}): Promise<Service> {
  const { server, redis } = await ownRedis()
  const config = redisConfig(server.url)
  const workers = [await startWorker(config), await startWorker(config)]
  const gateways: [Sessions, Sessions] = [await startGateway(config), await startGateway(config)]
  const streams = await Promise.all(
    Array.from({ length: numStreams }, (_, i) => openStream(gateways[i % 2]!))
  )
  await Promise.all(streams.map((stream) => stream.advance(5)))
  const resting = new EventLog()
  const rests = await gateways[0].open(hashOptions, resting.push)
  const waits = await gateways[0].open({ ...hashOptions, resumable: true }, () => {})
  await waits.detach()
  // As long as it takes until every worker has seen its rows as they are now.
  await Promise.all(streams.map((stream) => stream.advance(60)))
  return {
    ...{ server, redis, config, gateways, streams },
    expectUnharmed: async () => {
      await Promise.all(streams.map((stream) => stream.advance(20)))
      await eventually(() => gateways[1].readiness()).toEqual({ ready: true })
      const again = await openStream(gateways[1])
      await again.advance(3)
      await Promise.all([again, ...streams].map((stream) => stream.finish()))
      expect(resting.all).toEqual([])
      rests.submit(testFrame(0, Buffer.from('a')))
      await resting.until((events) => events.length === 1)
      expect(resting.results().length).toBe(1)
      await rests.close()
      const back = { session: waits.id, token: waits.resumeToken, epoch: 0, seq: -1 }
      const resumed = await gateways[1].resume(back, () => {})
      expect(resumed.resumed.continuity).toBe('exact')
      await resumed.close()
      for (const { engine } of workers) await eventually(() => engine.sessions.size).toBe(0)
      await expectNothingLeft(server.url, config)
    }
  }
}

test('a Redis that forgets everything is told it again, and every session goes on', async () => {
  const { redis, streams, expectUnharmed } = await startService()
  for (let round = 0; round < 3; round++) {
    await redis.flushall()
    await streams[round]!.advance(20)
  }
  await expectUnharmed()
}, 120_000)

test('a Redis that is started again empty takes none of 20 live sessions with it', async () => {
  const { server, expectUnharmed } = await startService({ numStreams: 20 })
  await server.kill()
  await server.restart()
  await expectUnharmed()
}, 120_000)

test('while Redis is away for longer than any lease sessions are kept and new ones refused', async () => {
  const { server, gateways, expectUnharmed } = await startService()
  await server.kill()
  await eventually(() => gateways[0].readiness()).toMatchObject({ ready: false, code: 'STORE_UNAVAILABLE' })
  await expect(gateways[0].open(hashOptions, () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await new Promise((resolve) => setTimeout(resolve, 4000))
  await server.restart()
  await expectUnharmed()
}, 120_000)

test('a Redis that hangs for longer than any lease costs latency', async () => {
  const { server, expectUnharmed } = await startService()
  server.freeze()
  await new Promise((resolve) => setTimeout(resolve, 8000))
  server.thaw()
  await expectUnharmed()
}, 120_000)

test('scripts that Redis has forgotten are sent again', async () => {
  const { redis, expectUnharmed } = await startService()
  await redis.script('FLUSH')
  await expectUnharmed()
}, 120_000)

test('a full Redis holds up sessions that send, leaves those that rest, and refuses new ones', async () => {
  const { redis, gateways, expectUnharmed } = await startService()
  await redis.config('SET', 'maxmemory', '1mb')
  const refused = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('refuses: OOM') }
  await expect(gateways[0].open(hashOptions, () => {})).rejects.toMatchObject(refused)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  await redis.config('SET', 'maxmemory', '0')
  await expectUnharmed()
}, 120_000)

test('a master that was a replica for a while, and took on what another holds, is told everything again', async () => {
  const { redis, gateways, expectUnharmed } = await startService()
  const { server: other } = await ownRedis()
  await redis.call('REPLICAOF', '127.0.0.1', String(other.port))
  await eventually(() => redis.info('replication')).toContain('master_link_status:up')
  await eventually(() => gateways[0].readiness()).toMatchObject({ ready: false })
  await redis.call('REPLICAOF', 'NO', 'ONE')
  await expectUnharmed()
}, 120_000)

test('a gateway that reaches Redis no more loses its sessions to their worker, and is told so when it is back', async () => {
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
  await eventually(() => engine.sessions.size).toBe(0)
  await expect(gateway.open(hashOptions, () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  proxy.heal()
  for (const log of [resting, sending.log])
    expect((await log.ended()).at(-1)).toMatchObject({ type: 'error', seq: null, code: 'WORKER_LOST' })
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
  proxy.heal()
  await eventually(() => engine.sessions.size).toBe(0)
  await eventually(() => gateway.readiness()).toEqual({ ready: true })
  const again = await openStream(gateway)
  await again.advance(3)
  await again.finish()
  await expectNothingLeft(server.url, config)
}, 60_000)
