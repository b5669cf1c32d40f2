import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { overviewOf } from '../../../src/cli/top/overview.ts'
import { mergeBuckets, quantile, Scrape } from '../../../src/cli/top/scrape.ts'
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
    gateways: [{ url: 'http://host:8042', missing: [], scrape: new Scrape(await registry.metrics()) }]
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
  const screen = screenOf(overview)
  expect(screen[0]).toBe('http://host:8042 · 00:00:02 UTC · ready')
  expect(screen[1]).toBe('2 workers · 6 sessions, 2 parked · 2 of 8 MiB (25 %) · 59.8 fps')
  expect(screen.at(-1)).toMatch(/^w_1 +cpu +3 +1 +1 of 4 MiB \(25 %\) +29.9 +12 +40.5 +1$/)
})

const framesName = 'leadline_frames_total'

/** What a gateway says that had `fast` frames of 5 ms and `slow` ones of 800 ms. */
function said(fast: number, slow: number, streams = 1): Scrape {
  const all = fast + slow
  return new Scrape(
    [
      `leadline_streams ${streams}`,
      `${framesName}{outcome="result",reason=""} ${all}`,
      `leadline_continuity_total{kind="exact"} 1`,
      ...[`0.01"} ${fast}`, `0.1"} ${fast}`, `1"} ${all}`, `+Inf"} ${all}`].map(
        (rest) => `leadline_frame_seconds_bucket{le="${rest}`
      )
    ].join('\n')
  )
}

const lookOf = (atMs: number, scrapes: (Scrape | null)[]) => ({
  ...{ atMs, workers: [worker] },
  gateways: scrapes.map((scrape, i) => ({ url: `http://g${i}`, scrape, missing: scrape ? [] : ['gateway'] }))
})

test('of several gateways percentiles are those of all frames, and no mean of theirs', () => {
  const overview = overviewOf(lookOf(2000, [said(98, 0), said(0, 2, 3)]), lookOf(0, [said(0, 0), said(0, 0)]))
  expect(overview.gateway).toMatchObject({ streams: 4, framesPerSecond: 50, continuity: { exact: 2 } })
  // 98 of 100 within 10 ms, two within a second: a mean of both gateways' would be about 500.
  expect(overview.gateway.latencyMs.p50).toBeLessThan(10)
  expect(overview.gateway.latencyMs.p99).toBe(550)
  expect(overview.gateways.map(({ figures }) => figures?.latencyMs.p99)).toEqual([9.9, 991])
  expect(screenOf(overview).slice(2, 7)).toEqual([
    '2 gateways: 4 streams · 50 fps · p50 5.1 ms, p99 550 ms · 0 drops, 0 errors · continuity: exact 2',
    '',
    expect.stringMatching(/^gateway +streams +fps +p50 ms +p99 ms +drops +errors/) as string,
    expect.stringMatching(/^http:\/\/g0 +1 +49 /) as string,
    expect.stringMatching(/^http:\/\/g1 +3 +1 /) as string
  ])
})

test('a gateway that does not answer keeps its line, and one that was started anew counts from nothing', () => {
  const overview = overviewOf(lookOf(1000, [said(10, 0), null]), lookOf(0, [said(500, 0), said(3, 0)]))
  expect(overview.missing).toEqual(['gateway'])
  expect(overview.gateway).toMatchObject({ streams: 1, framesPerSecond: 10 })
  expect(overview.gateways[1]).toEqual({ url: 'http://g1', missing: ['gateway'], figures: null })
  expect(screenOf(overview)[6]).toMatch(/^http:\/\/g1 +does not answer$/)
})

test('histograms with other bounds are added by what is known of them', () => {
  const merged = mergeBuckets([
    [
      { bound: 1, count: 4 },
      { bound: Infinity, count: 10 }
    ],
    [
      { bound: 2, count: 5 },
      { bound: Infinity, count: 5 }
    ]
  ])
  expect(merged).toEqual([
    { bound: 1, count: 4 },
    { bound: 2, count: 9 },
    { bound: Infinity, count: 15 }
  ])
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
