import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { Access } from '../../src/access/index.ts'
import { buildApp } from '../../src/api/index.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { redisConfig, startGateway, startWorker } from '../helpers/redis-service.ts'
import { startRedis } from '../helpers/redis.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'

test('a burst of raw 1080p frames that the worker is late for costs frames, and not the stream', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const config = redisConfig(redis.url)
  const engine = new HashEngine()
  await startWorker(config, engine)
  const sessions = await startGateway(config)
  const app = await buildApp({ access: new Access(null), config, sessions, log: pino({ level: 'silent' }) })
  onTestFinished(() => app.close())
  const client = await openStream(await app.listen({ host: '127.0.0.1', port: 0 }))

  const numFrames = 60
  const payload = new Uint8Array(1920 * 1080 * 3)
  engine.hold()
  for (let seq = 0; seq < numFrames; seq++)
    client.send(frameMessage(seq, payload, { codec: 'rgb24', width: 1920, height: 1080 }))
  client.send({ type: 'ping' })
  const early = []
  for (let message = await client.next(); message.type !== 'pong'; message = await client.next())
    early.push(message)
  engine.resume()
  client.send({ type: 'close' })
  const outcomes = [...early, ...(await client.rest())].filter(({ type }) => type !== 'summary')
  expect(
    outcomes.map((outcome) => ('header' in outcome ? outcome.header.seq : 'seq' in outcome && outcome.seq))
  ).toEqual(Array.from({ length: numFrames }, (_, seq) => seq))
  expect(outcomes.filter(({ type }) => type === 'error')).toEqual([])
  expect(outcomes.at(-1)).toMatchObject({ type: 'result' })
}, 120_000)
