import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import type { Config } from '../../../src/config.ts'
import { redisGateway, redisWorker } from '../../../src/sessions/index.ts'
import type { SessionHandle, Sessions } from '../../../src/sessions/index.ts'
import { Keys } from '../../../src/sessions/redis/keys.ts'
import { RedisConnections } from '../../../src/sessions/redis/redis-connections.ts'
import { RedisGatewayLink } from '../../../src/sessions/redis/redis-gateway-link.ts'
import { RedisSessionStore } from '../../../src/sessions/redis/redis-session-store.ts'
import { SessionGateway } from '../../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../../src/sessions/session-store.ts'
import { EventLog } from '../../helpers/event-log.ts'
import {
  expectedChain,
  HashEngine,
  hashOptions,
  resultPayload,
  testFrame
} from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'
import type { RedisServer } from '../../helpers/redis.ts'
import { forkWorker, killWorker } from '../../helpers/worker-fork.ts'

let server: RedisServer
const patient = { timeout: 90_000, interval: 20 }

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

function configFor(redisUrl: string, keyPrefix = randomPrefix()): Config {
  return loadConfig({ REDIS_URL: redisUrl, LEADLINE_KEY_PREFIX: keyPrefix })
}

async function startGateway(config: Config): Promise<Sessions> {
  const gateway = await redisGateway(config, quietLog())
  onTestFinished(() => gateway.close())
  return gateway
}

async function startWorker(config: Config, engine = new HashEngine()): Promise<HashEngine> {
  const worker = await redisWorker(config, engine, { log: quietLog() })
  onTestFinished(() => worker.close())
  return engine
}

async function open(gateway: Sessions): Promise<{ log: EventLog; handle: SessionHandle }> {
  const log = new EventLog()
  return { log, handle: await gateway.open(hashOptions, log.push) }
}

test('64 sessions over two gateways and two workers each get exactly their own chain', async () => {
  const config = configFor(server.url)
  await Promise.all([startWorker(config), startWorker(config)])
  const gateways = await Promise.all([startGateway(config), startGateway(config)])
  const streams = await Promise.all(
    Array.from({ length: 64 }, async (_, s) => {
      const frames = Array.from({ length: 12 }, (_, seq) => testFrame(seq, Buffer.from(`${s}:${seq}`)))
      return { frames, ...(await open(gateways[s % 2]!)) }
    })
  )
  for (let seq = 0; seq < 12; seq++) {
    for (const { handle, frames } of streams) handle.submit(frames[seq]!)
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const { handle, log, frames } of streams) {
    handle.flush('end')
    await log.until((events) => events.some((event) => event.type === 'flushed'))
    expect(log.results().map((result) => resultPayload(result.message))).toEqual(expectedChain(frames))
  }
  await Promise.all(streams.map(({ handle }) => handle.close()))
})

test('closing a session frees its engine and its bytes, and leaves nothing of it in Redis', async () => {
  const config = configFor(server.url)
  const engine = await startWorker(config, new HashEngine(100))
  const gateway = await startGateway(config)
  const { handle, log } = await open(gateway)
  await expect(open(gateway)).rejects.toMatchObject({ code: 'NO_CAPACITY' })
  engine.hold()
  handle.submit(testFrame(1, Buffer.from('a')))
  await handle.close()
  expect(log.events).toEqual([{ type: 'drop', seq: 1, reason: 'closed' }])
  expect(engine.sessions.size).toBe(0)
  await (await open(gateway)).handle.close()
})

test('without Redis nothing starts, and the error names the URL, not the password', async () => {
  const absent = await startRedis()
  await absent.stop()
  const config = configFor(`redis://user:secret@127.0.0.1:${absent.port}`)
  const detail = expect.stringMatching(new RegExp(`redis://127.0.0.1:${absent.port} [^]*REDIS_URL`))
  const failure = { code: 'STORE_UNAVAILABLE', message: detail }
  await expect(redisGateway(config, quietLog())).rejects.toMatchObject(failure)
  await expect(redisWorker(config, new HashEngine(), { log: quietLog() })).rejects.toMatchObject(failure)
})

test('a worker that was stopped for longer than its lease loses its sessions, serves again, and takes them back', async () => {
  const config = configFor(server.url)
  const child = await forkWorker(server.url, config.keyPrefix)
  onTestFinished(() => killWorker(child))
  const gatewayLog = quietLog()
  const gateway = await redisGateway(config, gatewayLog)
  onTestFinished(() => gateway.close())
  const { handle, log } = await open(gateway)
  handle.submit(testFrame(1, Buffer.from('a')))
  await log.until((events) => events.length === 1)
  child.kill('SIGSTOP')
  await expect
    .poll(() => gatewayLog.lines.map(({ message }) => message), patient)
    .toContain('workers were lost')
  child.kill('SIGCONT')
  handle.submit(testFrame(2, Buffer.from('b')))
  await log.until((events) => events.length === 3)
  expect(log.all[1]).toEqual({ type: 'recovered', seq: 2, epoch: 0, continuity: 'exact' })
  const frames = [testFrame(1, Buffer.from('a')), testFrame(2, Buffer.from('b'))]
  expect(log.results().map(({ message }) => resultPayload(message))).toEqual(expectedChain(frames))
})

test('everything closes while Redis is away', async () => {
  const own = await startRedis()
  onTestFinished(() => own.stop())
  const config = configFor(own.url)
  const engine = new HashEngine()
  const worker = await redisWorker(config, engine, { log: quietLog() })
  const gateway = await redisGateway(config, quietLog())
  await open(gateway)
  await own.kill()
  await gateway.close()
  await worker.close()
  expect(engine.sessions.size).toBe(0)
})

test('a worker that shuts down ends its sessions with outcomes first, and is gone from placement', async () => {
  const config = configFor(server.url)
  const engine = new HashEngine()
  const worker = await redisWorker(config, engine, { log: quietLog() })
  const gateway = await startGateway(config)
  const { handle, log } = await open(gateway)
  engine.hold()
  handle.submit(testFrame(1, Buffer.from('a')))
  await expect.poll(() => engine.sessions.get(handle.id)?.waiting.length, patient).toBe(1)
  await worker.close()
  expect(await log.ended()).toMatchObject([
    { type: 'drop', seq: 1, reason: 'closed' },
    { type: 'error', seq: null, code: 'DRAINING' }
  ])
  await expect(open(gateway)).rejects.toMatchObject({ code: 'NO_WORKER' })
})

test('sessions of a gateway that vanished are closed by their worker, and their bytes are free again', async () => {
  const config = configFor(server.url)
  const engine = await startWorker(config, new HashEngine(100))
  const redis = await RedisConnections.open(server.url, quietLog())
  const keys = new Keys(config.keyPrefix)
  const vanishing = new SessionGateway({
    log: quietLog(),
    store: new RedisSessionStore(redis, keys, { ...storeTimes, gatewayTtlMs: 1000 }),
    link: new RedisGatewayLink({ redis, keys, log: quietLog() })
  })
  await vanishing.start()
  await vanishing.open(hashOptions, () => {})
  expect(engine.sessions.size).toBe(1)
  redis.close()
  await expect.poll(() => engine.sessions.size, patient).toBe(0)
  await vanishing.close()
  const gateway = await startGateway(config)
  await expect.poll(() => open(gateway).then(({ handle }) => handle.close()), patient).toBeUndefined()
})
