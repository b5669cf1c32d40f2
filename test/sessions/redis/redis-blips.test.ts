import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startLinkProxy } from '../../helpers/link-proxy.ts'
import type { LinkProxy } from '../../helpers/link-proxy.ts'
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
import type { HashEngine } from '../../helpers/hash-engine.ts'
import { forkWorker, killWorker } from '../../helpers/worker-fork.ts'

/** What is shorter than a lease changes nothing but latency: no session ends, no frame is lost or doubled. */

interface Service {
  server: RedisServer
  proxy: LinkProxy
  redis: Redis
  engine: HashEngine
  streams: Stream[]
  /** Every stream goes on, then ends well and leaves nothing. */
  expectUnharmed(): Promise<void>
}

/** Two gateways, one of them and the worker through the proxy, with two streams each. */
async function startService(): Promise<Service> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startLinkProxy(server.port)
  onTestFinished(() => proxy.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const config = redisConfig(`redis://127.0.0.1:${proxy.port}`)
  const { engine } = await startWorker(config)
  const gateways = [await startGateway(config), await startGateway({ ...config, redisUrl: server.url })]
  const streams = await Promise.all([...gateways, ...gateways].map((gateway) => openStream(gateway)))
  await Promise.all(streams.map((stream) => stream.advance(5)))
  return {
    ...{ server, proxy, redis, engine, streams },
    expectUnharmed: async () => {
      await Promise.all(streams.map((stream) => stream.advance(20)))
      await Promise.all(streams.map((stream) => stream.finish()))
      expect(engine.sessions.size).toBe(0)
      await expectNothingLeft(server.url, config)
    }
  }
}

/** Every connection but that which says so. */
async function killClients(redis: Redis): Promise<void> {
  for (const type of ['normal', 'pubsub']) await redis.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
}

test('CLIENT KILL of every connection', async () => {
  const { redis, expectUnharmed } = await startService()
  await killClients(redis)
  await expectUnharmed()
}, 60_000)

test('CLIENT KILL again and again', async () => {
  const { redis, streams, expectUnharmed } = await startService()
  for (let round = 0; round < 8; round++) {
    await killClients(redis)
    await streams[round % streams.length]!.advance(1)
  }
  await expectUnharmed()
}, 60_000)

test.each([1500, 3000])(
  'CLIENT PAUSE of %i ms',
  async (ms) => {
    const { redis, expectUnharmed } = await startService()
    await redis.call('CLIENT', 'PAUSE', String(ms))
    await expectUnharmed()
  },
  60_000
)

test('a round trip of 200 ms', async () => {
  const { proxy, streams, expectUnharmed } = await startService()
  proxy.delay(100)
  for (const stream of streams) await stream.advance(100)
  await expectUnharmed()
}, 60_000)

test('connections that are half-open', async () => {
  const { proxy, expectUnharmed } = await startService()
  proxy.halfOpen()
  await expectUnharmed()
}, 60_000)

test('a cut and a second without any network', async () => {
  const { proxy, expectUnharmed } = await startService()
  proxy.blackHole()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  proxy.heal()
  proxy.cut()
  await expectUnharmed()
}, 60_000)

test('processes that hear and do nothing for 2.5 s', async () => {
  const { expectUnharmed } = await startService()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500)
  await expectUnharmed()
}, 60_000)

test('CLIENT PAUSE again and again, with a worker in a process of its own', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const config = redisConfig(server.url)
  const child = await forkWorker(server.url, config.keyPrefix)
  onTestFinished(() => killWorker(child))
  const gateways = [await startGateway(config), await startGateway(config)]
  const streams = await Promise.all([...gateways, ...gateways].map((gateway) => openStream(gateway)))
  for (const ms of [1500, 3000, 3000, 8000]) {
    await Promise.all(streams.map((stream) => stream.advance(10)))
    await redis.call('CLIENT', 'PAUSE', String(ms))
  }
  await Promise.all(streams.map((stream) => stream.advance(60)))
  await Promise.all(streams.map((stream) => stream.finish()))
  await expectNothingLeft(server.url, config)
}, 120_000)
