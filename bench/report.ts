import os from 'node:os'
import type { Static } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'

const figureSchema = Type.Object({
  name: Type.String(),
  value: Type.Number(),
  unit: Type.String(),
  /** value divided by the same measure of `to`, taken in the same run; null where there is nothing to compare with. */
  ratio: Type.Union([Type.Number(), Type.Null()]),
  to: Type.Union([Type.String(), Type.Null()]),
  machine: Type.String()
})
export type Figure = Static<typeof figureSchema>

/** Print one figure as a JSON line on stdout. */
export function report(
  figure: Omit<Figure, 'machine' | 'ratio' | 'to'> & Partial<Pick<Figure, 'ratio' | 'to'>>
): void {
  const line: Figure = { ratio: null, to: null, ...figure, machine: machine() }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Read a line that `report` printed; throws when it is none. */
export function parseFigure(line: string): Figure {
  return Value.Parse(figureSchema, JSON.parse(line))
}

/** The middle value; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** The value below which `share` (0 to 1) of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

function machine(): string {
  const cpus = os.cpus()
  return `${cpus[0]?.model.trim() ?? 'unknown CPU'}, ${cpus.length} cores, Node ${process.versions.node}`
}
