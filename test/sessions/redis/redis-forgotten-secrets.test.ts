import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { redisConfig, startGateway, startWorker } from '../../helpers/redis-service.ts'
import { startRedis } from '../../helpers/redis.ts'
import { ResumingClient } from '../../helpers/resuming-client.ts'

/** A Redis that forgets everything does not shut a client out of its session. */

async function service() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const config = redisConfig(server.url)
  await startWorker(config)
  const gateways = [await startGateway(config), await startGateway(config)] as const
  return { gateways, redis }
}

test('a session that Redis has just forgotten is not said to be unknown: its client is to try again', async () => {
  const { gateways, redis } = await service()
  const client = await ResumingClient.open(gateways[0])
  client.send(0, 1)
  await client.received(2)
  // Until its worker has seen the row.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  await client.handle.detach()
  await redis.flushall()
  expect(await client.resumeInTime(gateways[1])).toContain('STORE_UNAVAILABLE')
  client.send(2)
  await client.expectAll()
})

test('a session that was opened just now is not lost with what Redis knew of it', async () => {
  const { gateways, redis } = await service()
  const client = await ResumingClient.open(gateways[0])
  client.send(0)
  await client.received(1)
  await redis.flushall()
  await client.resumeInTime(gateways[1])
  client.send(1)
  await client.expectAll()
})

test('the newest secret is known to the worker from the moment that it has the session under it', async () => {
  const { gateways, redis } = await service()
  const client = await ResumingClient.open(gateways[0])
  for (let turn = 0; turn < 4; turn++) {
    client.send(2 * turn, 2 * turn + 1)
    await client.received(2 * turn + 2)
    await client.resume(gateways[turn % 2]!)
    await redis.flushall()
    await client.resumeInTime(gateways[(turn + 1) % 2]!)
  }
  await client.expectAll()
}, 120_000)
