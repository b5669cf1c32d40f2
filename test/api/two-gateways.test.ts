import { pino } from 'pino'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Access } from '../../src/access/index.ts'
import { randomNumbers } from '../../bench/random.ts'
import { buildApp } from '../../src/api/index.ts'
import type { ConnectionEvent, DepthStream, Outcome } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, expectedChain, testFrame } from '../helpers/hash-engine.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'
import { redisConfig, startGateway, startWorker } from '../helpers/redis-service.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { startRedis } from '../helpers/redis.ts'

const timeout = 300_000
let redis: RedisServer
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

/** Two gateways and a worker over one Redis. */
async function setup() {
  // Port 0: each gateway keeps its clips in a folder of its own.
  const config = { ...redisConfig(redis.url), port: 0 }
  const engine = new HashEngine()
  await startWorker(config, engine)
  const gateways = await Promise.all(
    [0, 1].map(async () => {
      const sessions = await startGateway(config)
      const app = await buildApp({
        access: new Access(null),
        config,
        sessions,
        log: pino({ level: 'silent' })
      })
      onTestFinished(() => app.close())
      const url = await app.listen({ host: '127.0.0.1', port: 0 })
      return { app, sessions, url }
    })
  )
  return { engine, gateways }
}

const payload = (seq: number) => new Uint8Array(1 + ((seq * 7919) % 20_000)).fill(seq % 256)

async function connected(url: string[]) {
  const events: ConnectionEvent[] = []
  const onConnection = (event: ConnectionEvent) => void events.push(event)
  const stream = await connectStream({ url, config: { delivery: 'lossless' }, onConnection })
  onTestFinished(() => stream.abort())
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of stream.outcomes) outcomes.push(outcome)
  })()
  return { stream, events, outcomes, reading }
}

/** Hold everything that came against the chain of everything that was sent. */
async function expectAll(
  stream: DepthStream,
  count: number,
  { outcomes, reading }: Awaited<ReturnType<typeof connected>>
) {
  await stream.close()
  await reading
  const found = outcomes.map((outcome) =>
    outcome.type === 'result' ? Buffer.from(outcome.payload).toString('hex') : outcome.type
  )
  const sent = Array.from({ length: count }, (_, seq) => testFrame(seq, payload(seq)))
  expect(found).toEqual(expectedChain(sent))
}

test(
  'a gateway that leaves takes nothing with it: its streams go on at the other one',
  { timeout },
  async () => {
    const { engine, gateways } = await setup()
    const [leaving, staying] = gateways
    if (leaving === undefined || staying === undefined) expect.fail('two gateways')
    const streams = await Promise.all([1, 2, 3].map(() => connected([leaving.url, staying.url])))
    let numSent = 0
    let isGone = false
    const gone = leaving.app
      .close()
      .then(() => leaving.sessions.close())
      .then(() => (isGone = true))
    while (!isGone) {
      await Promise.all(streams.map(({ stream }) => stream.send({ data: payload(numSent), codec: 'jpeg' })))
      numSent++
    }
    await gone
    expect(engine.sessions.size).toBe(3)
    for (const made of streams) {
      await expectAll(made.stream, numSent, made)
      const resumed = made.events.filter(({ type }) => type === 'resumed')
      expect(resumed).toMatchObject([{ continuity: 'exact' }])
      expect(made.events.map(({ type }) => type)).toContain('goAway')
    }
    await eventually(() => engine.sessions.size).toBe(0)
  }
)

test('over drops that end at one gateway or the other every resume is exact', { timeout }, async () => {
  const random = randomNumbers(11)
  const { engine, gateways } = await setup()
  const proxies = await Promise.all(gateways.map(({ url }) => startLinkProxy(Number(new URL(url).port))))
  onTestFinished(() => Promise.all(proxies.map((proxy) => proxy.stop())).then(() => undefined))
  const made = await connected(proxies.map(({ port }) => `ws://127.0.0.1:${port}`))
  const { stream, events } = made
  let numSent = 0
  while (events.filter(({ type }) => type === 'lost').length < 60) {
    for (const proxy of proxies) {
      if (random() < 0.5) proxy.cutAfter(Math.floor(random() * 40_000))
      else if (random() < 0.2) proxy.cut()
    }
    for (let i = 0; i < 3; i++) await stream.send({ data: payload(numSent++), codec: 'jpeg' })
  }
  await expectAll(stream, numSent, made)
  const resumed = events.filter((event) => event.type === 'resumed')
  expect(resumed.every(({ continuity }) => continuity === 'exact')).toBe(true)
  await eventually(() => engine.sessions.size).toBe(0)
})
