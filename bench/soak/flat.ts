import { median } from '../report.ts'

/** What could grow, by what it is of. */
export type Measures = Readonly<Record<string, number>>

export interface Growth {
  name: string
  /** Medians of the second quarter of the measures and of the last: in the first everything is still filling up. */
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
export function growthOf(samples: readonly Measures[], { atLeast, share }: Tolerance): Growth[] {
  const at = (part: number): number => Math.floor(samples.length * part)
  const [early, late] = [samples.slice(at(0.25), Math.max(at(0.5), at(0.25) + 1)), samples.slice(at(0.75))]
  return Object.keys(samples.at(-1) ?? {}).map((name) => {
    const middle = (some: readonly Measures[]): number => median(some.map((measures) => measures[name] ?? 0))
    const before = middle(early)
    const floor = Object.entries(atLeast).find(([end]) => name.endsWith(end))?.[1] ?? 0
    return { name, early: before, late: middle(late), allowed: before + Math.max(floor, before * share) }
  })
}

export function isFlat({ allowed, late }: Growth): boolean {
  return late <= allowed
}
