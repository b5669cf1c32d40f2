import { median } from '../report.ts'

/** What could grow, by what it is of. */
export type Measures = Readonly<Record<string, number>>

export interface Sample {
  atMs: number
  measures: Measures
}

export interface Growth {
  name: string
  /** Medians of the second quarter of the time and of the last: in the first everything is still filling up. */
  early: number
  late: number
  allowed: number
}

/** How much more may lie there at the end; what comes and goes is never twice the same. */
export interface Tolerance {
  /** Of the early value. */
  share: number
  /** In the unit of the measure, by the end of its name. */
  atLeast: Readonly<Record<string, number>>
}

/** What every measure did over the time. */
export function growthOf(samples: readonly Sample[], { atLeast, share }: Tolerance): Growth[] {
  const [fromMs = 0, toMs = 0] = [samples[0]?.atMs, samples.at(-1)?.atMs]
  const quarter = (toMs - fromMs) / 4
  const within = (from: number, to: number): Sample[] =>
    samples.filter(({ atMs }) => atMs >= fromMs + from * quarter && atMs <= fromMs + to * quarter)
  const [early, late] = [within(1, 2), within(3, 4)]
  return Object.keys(samples.at(-1)?.measures ?? {}).map((name) => {
    const middle = (some: readonly Sample[]): number =>
      median(some.map(({ measures }) => measures[name] ?? 0))
    const before = middle(early)
    const floor = Object.entries(atLeast).find(([end]) => name.endsWith(end))?.[1] ?? 0
    return { name, early: before, late: middle(late), allowed: before + Math.max(floor, before * share) }
  })
}

export function isFlat({ allowed, late }: Growth): boolean {
  return late <= allowed
}
