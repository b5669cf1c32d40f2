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
    parts.push('| figure | value | ratio | to |', '|---|---:|---:|---|')
    for (const figure of figures) parts.push(row(figure))
    parts.push('')
  }
  return parts.join('\n')
}

function row({ name, value, unit, ratio, to }: Figure): string {
  return `| ${name} | ${rounded(value)} ${unit} | ${ratio === null ? '' : rounded(ratio)} | ${to ?? ''} |`
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)))
}
