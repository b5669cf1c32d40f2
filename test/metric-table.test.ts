import { readFile } from 'node:fs/promises'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { counter, watched } from '../src/meters.ts'
import { metricTable } from '../src/metric-table.ts'
import type { Metric } from '../src/metric-table.ts'

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
  const page = await readFile(new URL('../docs/operating.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `leadline_'))
  expect(rows).toEqual(
    Object.entries(table).map(([name, { type, help, of, labels = {} }]) => {
      const named = Object.entries(labels).map(([label, values]) => `\`${label}\` (${values})`)
      return `| \`${name}\` | ${type} | ${of.join(', ')} | ${help}${named.length > 0 ? `; ${named.join(', ')}` : ''} |`
    })
  )
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
