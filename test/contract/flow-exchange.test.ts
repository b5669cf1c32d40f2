import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
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
  await eventually(() => b!.swap('k', flow(10), 60_000)).toEqual(flow(1))
  expect(await alone.swap('k', flow(1), 60_000)).toEqual(noFlow)
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
