import { collectDefaultMetrics, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { metricTable } from '../../src/metering/metric-table.ts'
import type { Metric } from '../../src/metering/metric-table.ts'
import { readInfra } from './files.ts'
import { readFileSync } from 'node:fs'

interface Panel {
  id: number
  type: string
  title: string
  gridPos: { h: number; w: number; x: number; y: number }
  targets?: { expr: string; legendFormat: string }[]
}

const table: Readonly<Record<string, Metric>> = metricTable
const { panels } = JSON.parse(readInfra('monitoring/dashboard.json')) as { panels: Panel[] }
const { groups } = parse(readInfra('monitoring/alerts.yaml')) as {
  groups: { rules: { alert: string; expr: string }[] }[]
}
const alerts = groups.flatMap(({ rules }) => rules)
const shown = panels.flatMap(({ targets = [] }) => targets)

/** Metrics and, of each, the labels that it is asked for by, with their values; what it is grouped by counts for all. */
function asked(expr: string): { name: string; suffix: string; labels: [string, string][] }[] {
  const series =
    /\b((?:leadline|nodejs|process)_[a-z0-9_]+?)(_bucket|_sum|_count)?(?:\{([^}]*)\})?(?![a-z0-9_])/g
  return [...expr.matchAll(series)].map(([, name = '', suffix = '', inner = '']) => ({
    ...{ name, suffix },
    labels: [...inner.matchAll(/(\w+)[!=~]+"([^"]*)"/g)].map(
      ([, label = '', value = '']): [string, string] => [label, value]
    )
  }))
}

test('the dashboard and the alerts ask for metrics, labels and values that there are', () => {
  const others = new Registry()
  collectDefaultMetrics({ register: others })
  for (const expr of [...alerts, ...shown].map((one) => one.expr)) {
    const found = asked(expr)
    expect(found, expr).not.toEqual([])
    for (const { name, suffix, labels } of found) {
      if (!name.startsWith('leadline_')) {
        expect(others.getSingleMetric(name), name).toBeDefined()
        continue
      }
      const metric = table[name]
      expect(metric, name).toBeDefined()
      expect(suffix !== '', `${name}${suffix}`).toBe(metric?.type === 'histogram')
      for (const [label, value] of labels) {
        const values = metric?.labels?.[label]?.split(', ') ?? []
        expect(values, `${name}{${label}="${value}"}`).toContain(value)
      }
    }
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(', '))
    const labels = found.flatMap(({ name }) => Object.keys(table[name]?.labels ?? {}))
    for (const label of grouped) expect(['le', 'instance', ...labels], expr).toContain(label)
  }
})

test('what several processes say is added up before it is asked for a percentile', () => {
  const expressions = [...alerts, ...shown].map(({ expr }) => expr)
  const quantiles = expressions.filter((expr) => expr.includes('histogram_quantile'))
  expect(quantiles).not.toEqual([])
  for (const expr of quantiles)
    expect(expr).toMatch(/histogram_quantile\([\d.]+, sum by \(le(, \w+)?\) \(rate\(\w+_bucket/)
  for (const expr of expressions) expect(expr).not.toMatch(/avg.*histogram_quantile|_bucket\{[^}]*le=/)
})

test('every metric is on the dashboard or in an alert', () => {
  const used = new Set([...alerts, ...shown].flatMap(({ expr }) => asked(expr).map(({ name }) => name)))
  const rare = [
    'leadline_frames_stepped_total',
    'leadline_parked_bytes',
    'leadline_redis_outages_total',
    'leadline_redis_unsent_bytes'
  ]
  expect(
    Object.keys(table)
      .filter((name) => !name.startsWith('leadline_usage_'))
      .filter((name) => !used.has(name))
      .sort()
  ).toEqual(rare)
})

test('panels lie beside each other, and each has a number of its own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
    Array.from({ length: h * w }, (_, i) => `${x + (i % w)}/${y + Math.floor(i / w)}`)
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24)
})

test('the page for operators says of every alert where to look and what to do, and of none that is not there', () => {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(Leadline[A-Za-z]+)`[^|]*\|[^|]+\|[^|]+\|$/gm)].map(
    ([, name = '']) => name
  )
  expect(rows).toEqual(alerts.map(({ alert }) => alert))
})
