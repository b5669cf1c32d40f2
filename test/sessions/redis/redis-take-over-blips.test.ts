import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { randomNumbers } from '../../../bench/random.ts'
import { LeadlineError } from '../../../src/errors.ts'
import { eventually } from '../../helpers/eventually.ts'
import type { HashEngine } from '../../helpers/hash-engine.ts'
import { expectNothingLeft, redisConfig, startGateway, startWorker } from '../../helpers/redis-service.ts'
import { startRedis } from '../../helpers/redis.ts'
import type { RedisServer } from '../../helpers/redis.ts'
import { ResumingClient } from '../../helpers/resuming-client.ts'
import type { Sessions } from '../../../src/sessions/index.ts'

/** Sessions are taken over while the connections to Redis break: what breaks may delay, and loses nothing. */

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

const mayBeTriedAgain = new Set(['STORE_UNAVAILABLE', 'WORKER_LOST', 'SESSION_REPLACED'])

/** As a client does: again, elsewhere, until it has the session. */
async function resumeSomewhere(client: ResumingClient, gateways: readonly Sessions[]): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return void (await client.resume(gateways[attempt % gateways.length]!))
    } catch (error) {
      if (!(error instanceof LeadlineError) || !mayBeTriedAgain.has(error.code)) throw error
    }
  }
  expect.fail('the session could not be resumed')
}

test('connections that break in the middle of take-overs lose no frame and no outcome', async () => {
  const config = redisConfig(server.url)
  const { engine }: { engine: HashEngine } = await startWorker(config)
  const gateways = await Promise.all([startGateway(config), startGateway(config)])
  const random = randomNumbers(7)
  const clients = await Promise.all(Array.from({ length: 8 }, () => ResumingClient.open(gateways[0])))
  let isBreaking = true
  const breaking = (async () => {
    while (isBreaking) {
      await new Promise((resolve) => setTimeout(resolve, 300 + random() * 600))
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    }
  })()
  onTestFinished(() => void (isBreaking = false))
  await Promise.all(
    clients.map(async (client) => {
      for (let turn = 0; turn < 25; turn++) {
        client.send(2 * turn, 2 * turn + 1)
        if (random() < 0.7) await new Promise((resolve) => setTimeout(resolve, random() * 40))
        client.ack()
        if (random() < 0.3) await client.handle.detach()
        await resumeSomewhere(client, random() < 0.5 ? gateways : gateways.toReversed())
      }
    })
  )
  isBreaking = false
  await breaking
  for (const client of clients) {
    await resumeSomewhere(client, gateways)
    await client.expectAll()
    await client.handle.close()
  }
  await eventually(() => engine.sessions.size).toBe(0)
  await expectNothingLeft(server.url, config)
}, 120_000)
