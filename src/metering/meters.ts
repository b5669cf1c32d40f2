import type { Registry } from 'prom-client'
import { Counter, Gauge, Histogram } from 'prom-client'
import { metricTable } from './metric-table.ts'
import type { Metric, MetricName } from './metric-table.ts'

type Named<T extends Metric['type']> = {
  [N in MetricName]: (typeof metricTable)[N]['type'] extends T ? N : never
}[MetricName]

/** The counter of this name in a registry, made if it is not there. */
export function counter(registry: Registry, name: Named<'counter'>): Counter {
  return had<Counter>(registry, name) ?? new Counter(configOf(registry, name))
}

/** The same of a histogram. */
export function histogram(registry: Registry, name: Named<'histogram'>): Histogram {
  const { buckets } = metricTable[name]
  return (
    had<Histogram>(registry, name) ?? new Histogram({ ...configOf(registry, name), buckets: [...buckets] })
  )
}

type Set = (value: number, labels?: Record<string, string>) => void
type Read = (set: Set) => void | Promise<void>
const readers = new WeakMap<object, Read[]>()

/**
 * Of a gauge, or a counter that something else counts: `read` is asked whenever the figures are. Several may write one
 * metric, each values of its own. What fails is left out, and keeps nobody from the other figures.
 */
export function watched(registry: Registry, name: Named<'gauge' | 'counter'>, read: Read): void {
  const known = readers.get(had<object>(registry, name) ?? {})
  if (known) return void known.push(read)
  const reads = [read]
  const config = {
    ...configOf(registry, name),
    collect: async () => {
      const found = await Promise.all(reads.map(valuesOf))
      made.reset()
      if (config.labelNames.length === 0) made.remove()
      for (const { value, labels } of found.flat()) made.inc(labels, value)
    }
  }
  const made: Gauge | Counter = metricTable[name].type === 'gauge' ? new Gauge(config) : new Counter(config)
  readers.set(made, reads)
}

/** Whether somebody told of this metric already. */
export function isWatched(registry: Registry, name: MetricName): boolean {
  return had(registry, name) !== undefined
}

async function valuesOf(read: Read): Promise<{ value: number; labels: Record<string, string> }[]> {
  const values: { value: number; labels: Record<string, string> }[] = []
  try {
    await read((value, labels = {}) => void values.push({ value, labels }))
    return values
  } catch {
    return []
  }
}

function had<T>(registry: Registry, name: MetricName): T | undefined {
  return registry.getSingleMetric(name) as T | undefined
}

function configOf(registry: Registry, name: MetricName) {
  const { help, labels = {} }: Metric = metricTable[name]
  return { name, help, labelNames: Object.keys(labels), registers: [registry] }
}
