import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { mintKey } from '../../src/access/index.ts'
import type { FlowExchange } from '../../src/access/limits/flow.ts'
import { FrameLimits } from '../../src/access/limits/frame-limits.ts'
import { alone, noFlow } from '../../src/access/limits/flow.ts'
import { RequestMeter } from '../../src/access/limits/request-meter.ts'
import { RedisFlowExchange } from '../../src/access/redis/redis-flow-exchange.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

async function connected(prefix: string) {
  const connections = await RedisConnections.open(server.url, quietLog())
  onTestFinished(() => connections.close())
  return { connections, keys: new RedisKeys(prefix) }
}

const flow = (framesPerSecond: number) => ({ framesPerSecond, megapixelsPerSecond: 2, bytesInFlight: 3 })

test('gateways hear of what comes at all others by the same key, as long as it counts', async () => {
  const prefix = randomPrefix()
  const [a, b, c] = await Promise.all(
    [1, 2, 3].map(async () => {
      const { connections, keys } = await connected(prefix)
      return new RedisFlowExchange(connections, keys)
    })
  )
  expect(await a!.swap('k', flow(1), 60_000)).toEqual(noFlow)
  expect(await b!.swap('k', flow(10), 60_000)).toEqual(flow(1))
  expect(await a!.swap('other', flow(5), 60_000)).toEqual(noFlow)
  expect(await c!.swap('k', flow(100), 1)).toEqual({
    framesPerSecond: 11,
    megapixelsPerSecond: 4,
    bytesInFlight: 6
  })
  // Whoever counts for so short a time may have taken the word of the others along, who say it again.
  await eventually(async () => {
    await a!.swap('k', flow(1), 60_000)
    return b!.swap('k', flow(10), 60_000)
  }).toEqual(flow(1))
  expect(await alone.swap('k', flow(1), 60_000)).toEqual(noFlow)
})

test('a key that sends all it can at three gateways has its rate once, after a second', async () => {
  const prefix = randomPrefix()
  const { key } = mintKey(
    { name: 'camera', scopes: ['stream'], limits: { framesPerSecond: 30 }, expiresAtMs: null },
    Date.now()
  )
  let nowMs = 0
  const gateways = await Promise.all(
    [1, 2, 3].map(async () => {
      const { connections, keys } = await connected(prefix)
      const redis = new RedisFlowExchange(connections, keys)
      // Seconds go by as told here, so that nothing runs out by the clock of Redis.
      const exchange: FlowExchange = { swap: (id, here) => redis.swap(id, here, 60_000) }
      const limits = new FrameLimits({ exchange, log: quietLog(), now: () => nowMs })
      return { limits, flow: limits.open(key)! }
    })
  )
  const perSecond: number[] = []
  let seq = 0
  for (let second = 0; second < 12; second++) {
    let numIn = 0
    for (let i = 0; i < 100; i++) {
      nowMs += 10
      for (const { flow } of gateways)
        if (flow.enter(seq++, { bytes: 1, megapixels: () => 0 }) === null) numIn++
    }
    for (const { limits } of gateways) await limits.look()
    perSecond.push(numIn)
  }
  const later = perSecond.slice(2)
  const mean = later.reduce((all, one) => all + one, 0) / later.length
  expect(mean).toBeCloseTo(30, 0)
  for (const { flow } of gateways) flow.end()
})

test.each(['memory', 'Redis'])('requests are counted by name and minute, in the %s', async (where) => {
  const prefix = randomPrefix()
  const make = async () => new RequestMeter(where === 'Redis' ? await connected(prefix) : null)
  const first = await make()
  const second = where === 'Redis' ? await make() : first
  const standings = [await first.take('a', 2), await second.take('a', 2), await first.take('a', 2)]
  expect(standings.map(({ isGranted, remaining }) => [isGranted, remaining])).toEqual([
    [true, 1],
    [true, 0],
    [false, 0]
  ])
  for (const { limit, resetMs } of standings) {
    expect(limit).toBe(2)
    expect(resetMs).toBeGreaterThan(0)
    expect(resetMs).toBeLessThanOrEqual(60_000)
  }
  expect(await second.take('b', 2)).toMatchObject({ isGranted: true, remaining: 1 })
})

test('nothing of it stays in Redis', async () => {
  const prefix = randomPrefix()
  const { connections, keys } = await connected(prefix)
  await new RequestMeter({ connections, keys }).take('a', 2)
  await new RedisFlowExchange(connections, keys).swap('k', flow(1), 3000)
  const names = await connections.control.keys(`{${prefix}}*`)
  expect(names).toHaveLength(3)
  for (const name of names) expect(await connections.control.pttl(name), name).toBeGreaterThan(0)
})
