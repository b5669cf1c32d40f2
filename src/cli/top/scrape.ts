/** Observations of a histogram that are at most as large as the bound. */
export interface Bucket {
  bound: number
  count: number
}

/** What /metrics said at one moment: series by name and labels, as Prometheus' text format has them. */
export class Scrape {
  readonly #samples: { name: string; labels: Record<string, string>; value: number }[]

  constructor(text: string) {
    this.#samples = text.split('\n').flatMap(sampleOf)
  }

  /** The sum of a metric's series that have these labels; 0 where there is none. */
  sum(name: string, labels: Record<string, string> = {}): number {
    return this.#of(name, labels).reduce((sum, { value }) => sum + value, 0)
  }

  /** By the values of one label. */
  by(name: string, label: string): Record<string, number> {
    const sums: Record<string, number> = {}
    for (const { labels, value } of this.#of(name, {})) {
      const key = labels[label] ?? ''
      sums[key] = (sums[key] ?? 0) + value
    }
    return sums
  }

  /** Of a histogram: observations at most as large as each bound, since `before` if there is one. Rising by bound. */
  buckets(name: string, before: Scrape | null): Bucket[] {
    return this.#of(`${name}_bucket`, {})
      .map(({ labels, value }) => ({
        bound: Number((labels['le'] ?? '').replace('+Inf', 'Infinity')),
        count: value
      }))
      .map(({ bound, count }) => ({ bound, count: count - (before?.upTo(name, bound) ?? 0) }))
      .sort((a, b) => a.bound - b.bound)
  }

  upTo(name: string, bound: number): number {
    return this.sum(`${name}_bucket`, { le: bound === Infinity ? '+Inf' : String(bound) })
  }

  #of(name: string, labels: Record<string, string>) {
    const wanted = Object.entries(labels)
    return this.#samples.filter(
      (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value)
    )
  }
}

/**
 * Histograms of several processes as one: counts of each bound are added. Where versions differ in their bounds, one that lacks a
 * bound is known to have at least what it has of the bound below.
 */
export function mergeBuckets(histograms: readonly (readonly Bucket[])[]): Bucket[] {
  const bounds = [...new Set(histograms.flat().map(({ bound }) => bound))].sort((a, b) => a - b)
  return bounds.map((bound) => ({
    bound,
    count: histograms.reduce(
      (sum, buckets) => sum + (buckets.findLast((one) => one.bound <= bound)?.count ?? 0),
      0
    )
  }))
}

/** Of a histogram, between the bounds of its bucket as Prometheus' histogram_quantile does it; null where nothing was observed. */
export function quantile(buckets: readonly Bucket[], share: number): number | null {
  const total = buckets.at(-1)?.count ?? 0
  if (total <= 0) return null
  const rank = share * total
  const at = buckets.findIndex(({ count }) => count >= rank)
  const [found, below] = [buckets[at], buckets[at - 1] ?? { bound: 0, count: 0 }]
  if (!found || found.bound === Infinity) return below.bound
  return below.bound + ((found.bound - below.bound) * (rank - below.count)) / (found.count - below.count)
}

function sampleOf(line: string): { name: string; labels: Record<string, string>; value: number }[] {
  const [, name, inner = '', value] = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
  if (name === undefined) return []
  const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [
    label,
    text
  ])
  return [{ name, labels: Object.fromEntries(labels) as Record<string, string>, value: Number(value) }]
}
