import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { overviewOf } from '../../../src/cli/top/overview.ts'
import { quantile, Scrape } from '../../../src/cli/top/scrape.ts'
import { screenOf } from '../../../src/cli/top/screen.ts'

const worker = {
  ...{
    id: 'w_1',
    device: 'cpu',
    draining: false,
    sessions: 3,
    reservedBytes: 2 ** 20,
    capacityBytes: 4 * 2 ** 20
  },
  moved: { sessions: 1, longestStallMs: 20 },
  pace: { framesPerSecond: 29.9, latencyMs: { p50: 12, p99: 40.5 }, parkedSessions: 1 }
}

test('what is shown of a gateway is of the time since the refresh before', async () => {
  const registry = new Registry()
  const frames = new Counter({
    name: 'leadline_frames_total',
    help: ' ',
    labelNames: ['outcome', 'reason'],
    registers: [registry]
  })
  const seconds = new Histogram({
    name: 'leadline_frame_seconds',
    help: ' ',
    buckets: [0.01, 0.1, 1],
    registers: [registry]
  })
  const look = async (atMs: number) => ({
    atMs,
    workers: [worker, worker],
    missing: [],
    scrape: new Scrape(await registry.metrics())
  })
  for (let i = 0; i < 50; i++) seconds.observe(0.5)
  const before = await look(0)
  for (let i = 0; i < 100; i++) seconds.observe(0.05)
  frames.inc({ outcome: 'result', reason: '' }, 100)
  frames.inc({ outcome: 'drop', reason: 'superseded' }, 4)
  const overview = overviewOf(await look(2000), before)
  expect(overview.gateway).toMatchObject({
    framesPerSecond: 50,
    drops: 4,
    errors: 0,
    latencyMs: { p50: 55, p99: 99.1 }
  })
  expect(overview.total).toEqual({
    ...{ workers: 2, sessions: 6, parked: 2, reservedBytes: 2 * 2 ** 20, capacityBytes: 8 * 2 ** 20 },
    framesPerSecond: 59.8
  })
  const screen = screenOf(overview, 'http://host:8042')
  expect(screen[0]).toBe('http://host:8042 · 00:00:02 UTC · ready')
  expect(screen[1]).toBe('2 workers · 6 sessions, 2 parked · 2 of 8 MiB (25 %) · 59.8 fps')
  expect(screen.at(-1)).toMatch(/^w_1 +cpu +3 +1 +1 of 4 MiB \(25 %\) +29.9 +12 +40.5 +1$/)
})

test('a quantile is where Prometheus puts it, and none where nothing was seen', () => {
  const buckets = [
    { bound: 1, count: 10 },
    { bound: 2, count: 30 },
    { bound: Infinity, count: 40 }
  ]
  expect(quantile(buckets, 0.5)).toBe(1.5)
  expect(quantile(buckets, 0.99)).toBe(2)
  expect(quantile([], 0.5)).toBeNull()
  expect(new Scrape('a{x="1",y="q\\"r"} 2\na{x="2"} 3\nb 4').by('a', 'x')).toEqual({ '1': 2, '2': 3 })
})
