import { expect, test } from 'vitest'
import { randomPrefix } from '../../helpers/redis.ts'
import { startCluster, startSentinels } from '../../helpers/redis-groups.ts'
import {
  expectNothingLeft,
  openStream,
  redisConfig,
  startGateway,
  startWorker
} from '../../helpers/redis-service.ts'

/** Redis that is more than one server, as REDIS_URL may name it. */

test('a cluster serves like one server, whichever of its nodes are named', async () => {
  const prefix = randomPrefix()
  const { url, owner } = await startCluster(`{${prefix}}`)
  const config = redisConfig(url, prefix)
  const { engine } = await startWorker(config)
  const gateway = await startGateway(config)
  const streams = await Promise.all([1, 2, 3].map(() => openStream(gateway)))
  await Promise.all(streams.map((stream) => stream.advance(60)))
  await Promise.all(streams.map((stream) => stream.finish()))
  expect(engine.sessions.size).toBe(0)
  await expectNothingLeft(owner.url, config)
}, 120_000)

test('the master that sentinels name serves, though the first of them is not there', async () => {
  const { url, master } = await startSentinels()
  const config = redisConfig(url)
  await startWorker(config)
  const gateway = await startGateway(config)
  const stream = await openStream(gateway)
  await stream.advance(60)
  await stream.finish()
  await expectNothingLeft(master.url, config)
}, 120_000)

test('no session ends when the master dies and sentinels make its replica the next', async () => {
  const { url, master, replica } = await startSentinels()
  const config = redisConfig(url)
  const { engine } = await startWorker(config)
  const gateways = [await startGateway(config), await startGateway(config)]
  const streams = await Promise.all([...gateways, ...gateways].map((gateway) => openStream(gateway)))
  await Promise.all(streams.map((stream) => stream.advance(60)))
  await master.kill()
  await Promise.all(streams.map((stream) => stream.advance(60)))
  await Promise.all(streams.map((stream) => stream.finish()))
  expect(engine.sessions.size).toBe(0)
  await expectNothingLeft(replica.url, config)
}, 120_000)

test('no session ends when the node of a cluster that has our slot dies', async () => {
  const prefix = randomPrefix()
  const { url, owner, replica } = await startCluster(`{${prefix}}`)
  const config = redisConfig(url, prefix)
  const { engine } = await startWorker(config)
  const gateway = await startGateway(config)
  const streams = await Promise.all([1, 2, 3].map(() => openStream(gateway)))
  await Promise.all(streams.map((stream) => stream.advance(60)))
  await owner.kill()
  await Promise.all(streams.map((stream) => stream.advance(60)))
  await Promise.all(streams.map((stream) => stream.finish()))
  expect(engine.sessions.size).toBe(0)
  await expectNothingLeft(replica.url, config)
}, 120_000)
