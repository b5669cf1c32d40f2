import { expect, test } from 'vitest'
import { Statistics } from '../../src/web/live/statistics.ts'

const frame = (latencyMs: number, queueUs: number, computeUs: number) => ({
  latencyMs,
  header: { queueUs, computeUs }
})

test('latency is split into queue, compute and the rest, whose medians count', () => {
  const statistics = new Statistics()
  statistics.add(frame(100, 20_000, 30_000), 0)
  statistics.add(frame(110, 20_000, 30_000), 100)
  statistics.add(frame(900, 700_000, 40_000), 200)
  expect(statistics.summary(200)).toEqual({
    framesPerSecond: 10,
    latency: { network: 60, queue: 20, compute: 30 }
  })
})

test('only the last seconds count, and nothing is made up when no frame came in them', () => {
  const statistics = new Statistics()
  statistics.add(frame(100, 0, 0), 0)
  expect(statistics.summary(4000)).toBeNull()
  for (let i = 0; i < 500; i++) statistics.add(frame(10, 0, 0), 4000 + i)
  expect(statistics.shown).toHaveLength(120)
  statistics.clear()
  expect(statistics.shown).toEqual([])
})

test('a clock that is coarser than the server’s makes no negative time on the network', () => {
  const statistics = new Statistics()
  statistics.add(frame(10, 6000, 5000), 0)
  expect(statistics.shown).toEqual([{ network: 0, queue: 6, compute: 5 }])
})
