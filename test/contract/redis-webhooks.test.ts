import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { RedisConnections } from '../../src/sessions/index.ts'
import { BullmqDeliveryQueue } from '../../src/webhooks/redis/bullmq-delivery-queue.ts'
import { WebhookKeys } from '../../src/webhooks/redis/webhook-keys.ts'
import { openWebhooks } from '../../src/webhooks/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { outside, receiver } from '../helpers/webhook-receiver.ts'
import { webhooksSuite } from './webhooks.suite.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const configOf = (keyPrefix: string, webhookNetworks: readonly string[] = [outside]) => ({
  ...{ ...loadConfig({}), redisUrl: server.url, keyPrefix, webhookNetworks }
})

describe('webhooks in Redis', () =>
  webhooksSuite(({ webhookNetworks, ...pace }) =>
    openWebhooks({ config: configOf(randomPrefix(), webhookNetworks), log: quietLog(), ...pace })
  ))

const hook = (url: string) => ({
  ...{ id: randomUUID(), owner: null, url, type: 'clip.done', timestamp: '', data: {} }
})

test('what a gateway queued or was trying when it died is delivered by another', async () => {
  const prefix = randomPrefix()
  const { url, received } = await receiver()
  const redis = await RedisConnections.open(server.url, quietLog(), prefix)
  const keys = new WebhookKeys(prefix)
  const dying = new BullmqDeliveryQueue({
    ...{ redis, keys, log: quietLog(), delaysMs: [1], random: () => 0.5 }
  })
  let tries = 0
  dying.serve({
    attempt: () => {
      tries++
      return new Promise(() => undefined)
    },
    onDead: () => undefined
  })
  const [tried, queued] = [hook(url), hook(url)]
  const safe: string[] = []
  await dying.add(tried, async () => void safe.push(tried.id))
  await eventually(() => tries).toBe(1)
  // As if its process were gone: nothing more is said over its connections.
  redis.close()
  const second = await openWebhooks({ config: configOf(prefix), log: quietLog(), delaysMs: [1] })
  onTestFinished(second.close)
  await second.webhooks.newSecret(null)
  await second.webhooks.add(queued, async () => void safe.push(queued.id))
  expect(safe).toEqual([tried.id, queued.id])
  const ids = () => received.map(({ headers }) => headers['webhook-id']).sort()
  await expect.poll(ids, { timeout: 60_000 }).toEqual([tried.id, queued.id].sort())
}, 90_000)

test('no key of the queue is without a life', async () => {
  const prefix = randomPrefix()
  const { webhooks, close } = await openWebhooks({ config: configOf(prefix), log: quietLog(), delaysMs: [] })
  onTestFinished(close)
  await webhooks.newSecret(null)
  const fails = await receiver((response) => response.writeHead(500).end())
  const works = await receiver()
  for (const { url } of [fails, works]) await webhooks.add(hook(url), async () => undefined)
  await eventually(async () => (await webhooks.deadLetters(null)).length).toBe(1)
  await eventually(() => works.received.length).toBe(1)
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const base = new WebhookKeys(prefix).queueBase()
  await eventually(async () => {
    const keys = await redis.keys(`${base}*`)
    const lives = await Promise.all(keys.map((key) => redis.pttl(key)))
    return [keys.length > 0, keys.filter((_, i) => lives[i] === -1)]
  }).toEqual([true, []])
})
