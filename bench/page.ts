import type { Figure } from './report.ts'

export interface FigureSet {
  /** Name of the bench, which is the file that made it. */
  name: string
  figures: readonly Figure[]
}

/** docs/benchmarks.md from the figures: one table per bench, ratios beside what they compare with. */
export function benchmarksPage(sets: readonly FigureSet[]): string {
  const parts = [
    '# Benchmarks',
    '',
    'Written by `npm run bench` from `bench/figures/`; do not edit. Ratios compare two things inside one run on one machine,',
    'medians of several rounds; absolute times say little beyond that machine.',
    ''
  ]
  for (const { name, figures } of sets) {
    parts.push(
      `## ${name}`,
      '',
      `\`npm run bench ${name}\`, on ${[...new Set(figures.map((f) => f.machine))].join('; ')}`,
      ''
    )
    parts.push('| row | figure | value | ratio | to |', '|---:|---|---:|---:|---|')
    parts.push(...figures.map(row), '', ...plot(figures))
  }
  return parts.join('\n')
}

/** The ratios as bars, by the rows of the table; Mermaid, which code hosts draw. */
function plot(figures: readonly Figure[]): string[] {
  const bars = figures.flatMap(({ ratio }, index) => (ratio === null ? [] : [{ ratio, index }]))
  if (bars.length < 2) return []
  const rows = bars.map(({ index }) => `"${index + 1}"`)
  const most = Math.max(1, ...bars.map(({ ratio }) => ratio))
  return [
    '```mermaid',
    'xychart-beta',
    `    x-axis "row" [${rows.join(', ')}]`,
    `    y-axis "ratio" 0 --> ${rounded(most)}`,
    `    bar [${bars.map(({ ratio }) => rounded(ratio)).join(', ')}]`,
    '```',
    ''
  ]
}

function row({ name, value, unit, ratio, to }: Figure, index: number): string {
  return `| ${index + 1} | ${name} | ${rounded(value)} ${unit} | ${ratio === null ? '' : rounded(ratio)} | ${to ?? ''} |`
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)))
}
