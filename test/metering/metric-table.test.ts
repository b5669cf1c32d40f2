import { readFile } from 'node:fs/promises'
import { AggregatorRegistry, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { counter, watched } from '../../src/metering/meters.ts'
import { StreamMeter } from '../../src/api/stream/stream-meter.ts'
import { metricTable } from '../../src/metering/metric-table.ts'
import type { Metric } from '../../src/metering/metric-table.ts'

const table: Readonly<Record<string, Metric>> = metricTable

test('metrics are named as Prometheus names them', () => {
  for (const [name, { type }] of Object.entries(table)) {
    expect(name).toMatch(/^leadline_[a-z_]+$/)
    expect(name.endsWith('_total'), name).toBe(type === 'counter')
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes|rows)$/)
    expect(name).not.toMatch(/_(ms|us|milliseconds|mib|percent)(_|$)/)
  }
})

test('the page for operators lists every metric, and none that is not there', async () => {
  const page = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `leadline_'))
  expect(rows).toEqual(
    Object.entries(table).map(([name, { type, help, of, labels = {} }]) => {
      const named = Object.entries(labels).map(([label, values]) => `\`${label}\` (${values})`)
      return `| \`${name}\` | ${type} | ${of.join(', ')} | ${help}${named.length > 0 ? `; ${named.join(', ')}` : ''} |`
    })
  )
})

test('no metric but that of usage can have the id of a key, and that only where somebody asked for it', () => {
  for (const [name, { labels = {} }] of Object.entries(table)) {
    // Whatever else has many values: sessions, clients, addresses, models that anybody may name.
    for (const label of Object.keys(labels))
      expect([
        'stage',
        'outcome',
        'reason',
        'kind',
        'code',
        'state',
        'result',
        'direction',
        'until',
        'queue',
        'key'
      ]).toContain(label)
    expect('key' in labels, name).toBe(name.startsWith('leadline_usage_'))
    if ('key' in labels) expect(labels['key']).toContain('with LEADLINE_METRICS_PER_KEY alone')
  }
})

test('what several gateways counted is added up, histograms bucket by bucket', async () => {
  const told = async (frames: number, ms: number) => {
    const registry = new Registry()
    const meter = new StreamMeter(registry, { size: 2 })
    for (let seq = 0; seq < frames; seq++) {
      meter.told({ type: 'result', seq, message: new Uint8Array() })
      meter.sent(ms, 1)
    }
    return registry.getMetricsAsJSON()
  }
  const all = await AggregatorRegistry.aggregate([await told(3, 4), await told(5, 400)]).metrics()
  expect(all).toContain('leadline_frames_total{outcome="result",reason=""} 8')
  expect(all).toContain('leadline_streams 4')
  expect(all).toContain('leadline_frame_seconds_bucket{le="0.005"} 3')
  expect(all).toContain('leadline_frame_seconds_bucket{le="0.2"} 3')
  expect(all).toContain('leadline_frame_seconds_bucket{le="0.5"} 8')
  expect(all).toContain('leadline_frame_seconds_count 8')
  expect(all).toContain('leadline_frame_stage_seconds_count{stage="send"} 8')
})

test('what cannot be read is left out, and the rest is there', async () => {
  const registry = new Registry()
  let isThere = true
  watched(registry, 'leadline_redis_ping_seconds', async (set) => {
    if (!isThere) throw new Error('away')
    set(0.5)
  })
  watched(registry, 'leadline_queue_jobs', (set) => set(2, { queue: 'clips', state: 'waiting' }))
  watched(registry, 'leadline_queue_jobs', () => Promise.reject(new Error('away')))
  expect(await registry.metrics()).toContain('leadline_redis_ping_seconds 0.5')
  isThere = false
  const text = await registry.metrics()
  expect(text).not.toMatch(/^leadline_redis_ping_seconds /m)
  expect(text).toContain('leadline_queue_jobs{queue="clips",state="waiting"} 2')
  expect(counter(registry, 'leadline_frames_total')).toBe(counter(registry, 'leadline_frames_total'))
})
