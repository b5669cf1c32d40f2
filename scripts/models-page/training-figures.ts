import Type from 'typebox'
import type { Static } from 'typebox'
import Value from 'typebox/value'
import type { Manifest } from '../../src/manifest.ts'
import { both, count, score, section, signed, table } from './markdown.ts'
import type { AblationRow, CurveRow, Figure, Scores } from './result-files.ts'

/** What the training code wrote: its record and metrics in the manifest, and files of leadline_models. */

const runSchema = Type.Object({
  config: Type.String(),
  steps: Type.Number(),
  images: Type.Number(),
  cpuMinutes: Type.Optional(Type.Number())
})

export function trainingRecord({ training }: Manifest): string[] {
  if (training === undefined) return []
  const { method, note } = training as { method?: string; note?: string }
  const runs = Value.Check(Type.Array(runSchema), training['runs']) ? training['runs'] : []
  const rows = [...runs, total(runs)].map(({ config, steps, images, cpuMinutes }) => [
    config.replace(/\.json$/, ''),
    count(steps),
    count(images),
    cpuMinutes === undefined ? '–' : cpuMinutes.toFixed(0)
  ])
  const said = [method, note].filter((text) => text !== undefined).map((text) => text.replace(/\.?$/, '.'))
  return section('### Training', [
    ...(said.length > 0 ? [sentenceCase(said.join(' ')), ''] : []),
    ...table(['run', 'steps', 'images', 'CPU minutes'], runs.length === 0 ? [] : rows)
  ])
}

function total(runs: readonly Static<typeof runSchema>[]): Static<typeof runSchema> {
  const sum = (field: 'steps' | 'images' | 'cpuMinutes') =>
    runs.reduce((all, run) => all + (run[field] ?? 0), 0)
  return {
    config: `**${runs.length} runs**`,
    steps: sum('steps'),
    images: sum('images'),
    cpuMinutes: sum('cpuMinutes')
  }
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** The manifest's metrics, whatever their tree: a row for each node that holds scores. */
export function trainingMetrics({ metrics }: Manifest): string[] {
  const rows = metrics === undefined ? [] : walk(metrics, [])
  const note = [
    'Measured by `leadline_models.evaluate`, PyTorch in fp32 before export; same protocol, same hold-out.',
    ''
  ]
  const columns = ['what', 'stills, fit each', 'clips, fit over all', 'first frame’s fit', 'flicker']
  return section(
    '### Figures of the training code',
    rows.length === 0 ? [] : [...note, ...table(columns, rows)]
  )
}

function walk(node: Record<string, unknown>, path: readonly string[]): string[][] {
  const { stills, global, first, flicker } = node
  const isScored = isScores(stills) || isScores(global)
  const own = [
    path.join(', '),
    both(isScores(stills) ? stills : undefined),
    both(isScores(global) ? global : undefined),
    both(isScores(first) ? first : undefined),
    typeof flicker === 'number' ? score(flicker) : '–'
  ]
  const children = Object.entries(node).flatMap(([name, child]) =>
    isNode(child) && !isScores(child) ? walk(child, [...path, name]) : []
  )
  return isScored ? [own, ...children] : children
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isScores(value: unknown): value is Scores {
  return isNode(value) && typeof value['absRel'] === 'number' && typeof value['delta1'] === 'number'
}

export function ablation(rows: readonly AblationRow[]): string[] {
  const [first] = rows
  if (first === undefined) return []
  const { steps, lowerBound } = first.start
  const note = [
    `Each row is trained for ${steps} steps from the same start on the same batches, one thing changed, then streamed in`,
    `several ways, at a shorter side of ${lowerBound} pixels (\`leadline_models.ablate\`).`,
    ''
  ]
  const cells = rows.flatMap(({ row, stills, streamed }) =>
    streamed.map(({ mode, video }) => [
      row,
      mode === 'single' ? 'per frame' : mode,
      mode === 'single' ? both(stills) : '–',
      both(video.global),
      both(video.first),
      signed(video.gap.absRel),
      score(video.flicker)
    ])
  )
  const columns = [
    'trained',
    'streamed',
    'stills',
    'clips, fit over all',
    'first frame’s fit',
    'gap',
    'flicker'
  ]
  return section('### Ablation', [...note, ...table(columns, cells)])
}

export function int8Figures(figures: readonly Figure[]): string[] {
  const rows = figures.map(({ name, value, unit, ratio, to }) => [
    name,
    `${Number(value.toPrecision(3))} ${unit}`.trim(),
    ratio === null ? '–' : String(Number(ratio.toPrecision(3))),
    to ?? '–'
  ])
  return section('### 8-bit integers', table(['figure', 'value', 'ratio', 'to'], rows))
}

export function curveTable(rows: readonly CurveRow[]): string[] {
  const cells = rows.map(({ images, cpuMinutes, lowerBound, stills, clips, rgbd }) => [
    count(images),
    cpuMinutes.toFixed(0),
    String(lowerBound),
    both(stills),
    both(clips),
    both(rgbd)
  ])
  const columns = [
    'images seen',
    'CPU minutes',
    'hold-out stills',
    'hold-out clips, c16',
    '5 RGB-D frames, c16'
  ]
  return table(columns, cells)
}
