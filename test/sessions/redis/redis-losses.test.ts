import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { redisWorker } from '../../../src/sessions/index.ts'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import type { MailboxLimits } from '../../../src/sessions/redis/mailbox-writer.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../../src/sessions/redis/redis-gateway-link.ts'
import { RedisSessionStore } from '../../../src/sessions/redis/redis-session-store.ts'
import { SessionGateway } from '../../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../../src/sessions/session-store.ts'
import { EventLog } from '../../helpers/event-log.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine, hashModel, hashOptions, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { startRedis } from '../../helpers/redis.ts'
import type { RedisServer } from '../../helpers/redis.ts'
import {
  expectNothingLeft,
  openStream,
  redisConfig,
  startGateway,
  startWorker
} from '../../helpers/redis-service.ts'
import { forkWorker, killWorker } from '../../helpers/worker-fork.ts'

/** What one side loses, the other side notices: nothing hangs, and nothing is held that nobody wants. */

let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

/** A gateway whose parts can be reached, on connections of its own. */
async function gatewayParts({ keyPrefix }: Config, limits: Partial<MailboxLimits> = {}) {
  const connections = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => connections.close())
  const keys = new Keys(keyPrefix)
  const store = new RedisSessionStore(connections, keys, { ...storeTimes, gatewayTtlMs: 1000 })
  const link = new RedisGatewayLink({ redis: connections, keys, log: quietLog(), limits })
  const gateway = new SessionGateway({ store, link, log: quietLog() })
  await gateway.start()
  onTestFinished(() => gateway.close())
  return { connections, keys, store, gateway }
}

/** Its first session takes until it is told to open. */
class SlowEngine extends HashEngine {
  finishOpening: () => void = () => {}
  #slow = new Promise<void>((resolve) => (this.finishOpening = resolve))
  isOpening = false

  override async open(...args: Parameters<HashEngine['open']>) {
    const slow = this.#slow
    this.#slow = Promise.resolve()
    this.isOpening = true
    await slow
    return super.open(...args)
  }
}

test('sessions that are opened while a worker dies are opened on another', async () => {
  const config = redisConfig(server.url)
  const child = await forkWorker(server.url, config.keyPrefix)
  onTestFinished(() => killWorker(child))
  const gateway = await startGateway(config)
  await gateway.open(hashOptions, () => {})
  await startWorker(config)
  await killWorker(child)
  const streams = await Promise.all(Array.from({ length: 8 }, () => openStream(gateway)))
  await Promise.all(streams.map((stream) => stream.advance(3)))
  await Promise.all(streams.map((stream) => stream.finish()))
}, 60_000)

test('a session that is opening when its gateway dies costs no other session anything', async () => {
  const config = redisConfig(server.url)
  const engine = new SlowEngine()
  onTestFinished(() => engine.finishOpening())
  await startWorker(config, engine)
  const { connections, gateway: dying } = await gatewayParts(config)
  void dying.open(hashOptions, () => {}).catch(() => {})
  await eventually(() => engine.isOpening).toBe(true)
  const stream = await openStream(await startGateway(config))
  connections.close()
  const pastLeasesMs = performance.now() + 2 * storeTimes.gatewayTtlMs
  while (performance.now() < pastLeasesMs) await stream.advance(10)
  await stream.finish()
  engine.finishOpening()
  await eventually(() => engine.sessions.size).toBe(0)
  await expectNothingLeft(server.url, config)
}, 180_000)

test('a session whose row is gone ends on both sides, and its bytes are free', async () => {
  const config = redisConfig(server.url)
  const { engine } = await startWorker(config)
  const gateway = await startGateway(config)
  const log = new EventLog()
  const handle = await gateway.open(hashOptions, log.push)
  await redis.del(new Keys(config.keyPrefix).session(handle.id))
  expect(await log.ended()).toMatchObject([{ type: 'error', seq: null, code: 'WORKER_LOST' }])
  await eventually(() => engine.sessions.size).toBe(0)
  await expectNothingLeft(server.url, config)
}, 60_000)

test('a session whose link fails is closed by its worker, and its bytes are free', async () => {
  const config = redisConfig(server.url)
  const { engine } = await startWorker(config, new HashEngine(100))
  const { gateway } = await gatewayParts(config, { maxEntries: 3 })
  const log = new EventLog()
  const handle = await gateway.open(hashOptions, log.push)
  engine.hold()
  for (let seq = 0; seq < 6; seq++) handle.submit(testFrame(seq, Buffer.from('x')))
  expect((await log.ended()).at(-1)).toMatchObject({ seq: null, code: 'FLOW_CONTROL' })
  await eventually(() => engine.sessions.size).toBe(0)
  await expectNothingLeft(server.url, config)
  await (await gateway.open(hashOptions, () => {})).close()
}, 60_000)

test('an event that cannot be read ends its own session and no other', async () => {
  const config = redisConfig(server.url)
  const { engine, id } = await startWorker(config)
  const gateway = await startGateway(config)
  const broken = new EventLog()
  const handle = await gateway.open(hashOptions, broken.push)
  const stream = await openStream(gateway)
  const head = Buffer.alloc(13)
  head[0] = 9
  await redis.xadd(new Keys(config.keyPrefix).outbound(handle.id, id, 1), '1-2', 'h', head, 'b', '')
  expect(await broken.ended()).toMatchObject([{ type: 'error', seq: null, code: 'INTERNAL' }])
  await stream.advance(10)
  await stream.finish()
  await eventually(() => engine.sessions.size).toBe(0)
}, 60_000)

test('a reservation whose worker never hears of it is given back', async () => {
  const config = redisConfig(server.url)
  const { id } = await startWorker(config)
  const { store, gateway } = await gatewayParts(config)
  const kept = await gateway.open(hashOptions, () => {})
  const { gatewayId = '', workerInstance = '' } = (await store.session(kept.id)) ?? {}
  const outcome = await store.openSession({
    ...{ id: 's_unheard', model: hashModel.name, modelDigest: '', mode: 'ovda', tokenHash: '', bytes: 100 },
    ...{ workerId: id, workerInstance, gatewayId: gatewayId ?? '' },
    ...{ owner: null, resumable: false, graceMs: 0, priority: 0 }
  })
  expect(outcome.kind).toBe('opened')
  await eventually(() => store.session('s_unheard')).toBeNull()
  expect((await store.workers()).live).toMatchObject([{ reservedBytes: 100, sessions: 1 }])
}, 60_000)

test('a worker that is killed under three gateways leaves no key behind that lives for ever', async () => {
  const config = redisConfig(server.url)
  const child = await forkWorker(server.url, config.keyPrefix)
  onTestFinished(() => killWorker(child))
  const gateways = await Promise.all([1, 2, 3].map(() => startGateway(config)))
  const streams = await Promise.all([...gateways, ...gateways].map((gateway) => openStream(gateway)))
  await Promise.all(streams.map((stream) => stream.advance(3)))
  await startWorker(config)
  await killWorker(child)
  await Promise.all(
    streams.map((stream) => stream.log.until((all) => all.some(({ type }) => type === 'recovered')))
  )
  await Promise.all(streams.map(({ handle }) => handle.close()))
  await expectNothingLeft(server.url, config)
}, 60_000)

test('a gateway keeps nothing of workers that came and went', async () => {
  const config = redisConfig(server.url)
  const { connections, gateway } = await gatewayParts(config)
  const listeners = () => connections.frames.listenerCount('close')
  const before = listeners()
  for (let life = 0; life < 4; life++) {
    const worker = await redisWorker(config, new HashEngine(), { log: quietLog() })
    const stream = await openStream(gateway)
    await stream.advance(1)
    await stream.finish()
    await worker.close()
  }
  await eventually(listeners).toBe(before)
  await expectNothingLeft(server.url, config)
}, 60_000)
