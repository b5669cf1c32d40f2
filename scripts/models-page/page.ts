import type { Manifest } from '../../src/manifest.ts'
import { count, section } from './markdown.ts'
import type { Picture, ResultFiles } from './result-files.ts'
import { serviceFigures } from './service-figures.ts'
import { ablation, curveTable, int8Figures, trainingMetrics, trainingRecord } from './training-figures.ts'

export interface Bundle {
  manifest: Manifest
  results: ResultFiles
  /** What is written by hand, in models/NAME/notes.md; null when there is none. */
  notes: string | null
  /** File of the learning curve, seen from docs/; null when there is none. */
  curveFile: string | null
}

/** docs/models.md: what is bundled, what it can do, and what is wrong with it. */
export function modelsPage(bundles: readonly Bundle[]): string {
  const head = [
    '# Models',
    '',
    'Written by `npm run models-page` from the manifests, `models/NAME/results/` and `models/NAME/notes.md`; do not edit.',
    'AbsRel (lower is better) is the mean of |depth - truth| / truth, delta1 (higher is better) the share of pixels within a',
    'factor of 1.25. Scale and shift are fitted first, since depth here has no unit: see the protocol in',
    '[evaluation.md](evaluation.md).',
    ''
  ]
  return [...head, ...bundles.flatMap(bundleSection)].join('\n')
}

function bundleSection({ manifest, results, notes, curveFile }: Bundle): string[] {
  const curve = curveFile === null ? [] : [`![AbsRel and delta1 against images seen](${curveFile})`, '']
  return [
    `## ${manifest.name}`,
    '',
    `${manifest.title}.`,
    '',
    ...facts(manifest),
    ...section('### What is wrong with it', notes === null ? [] : [notes.trim(), '']),
    ...pictures(results.pictures, manifest),
    ...serviceFigures(results.evaluations, manifest.weights.sha256),
    ...trainingMetrics(manifest),
    ...int8Figures(results.int8),
    ...trainingRecord(manifest),
    ...section('### Learning curve', [...curve, ...curveTable(results.learningCurve)]),
    ...ablation(results.ablation)
  ]
}

function facts({ license, quantity, weights, temporal, resolution }: Manifest): string[] {
  const mebibytes = (weights.bytes / 2 ** 20).toFixed(1)
  const gives = quantity === 'metric-depth' ? 'depth in metres' : 'relative inverse depth, larger is nearer'
  return [
    `- licence: ${license}`,
    `- gives: ${gives}`,
    `- weights: ${mebibytes} MiB, ${weights.dtype}, sha256 \`${weights.sha256.slice(0, 16)}\``,
    `- modes: ${temporal.modes.join(', ')}`,
    `- windows: ${temporal.cacheSizes.join(', ')} frames, ${temporal.defaultCacheSize} by default`,
    `- network size: shorter side ${resolution.lowerBound}, at most ${count(resolution.maxArea)} pixels`,
    ''
  ]
}

function pictures(shown: readonly Picture[], { weights }: Manifest): string[] {
  const parts = shown.flatMap(({ clip, file, rows, frames, clipFrames, mode, cacheSize, digest }) => {
    const how = cacheSize === null ? mode : `${mode} c${cacheSize}`
    const stale = digest === weights.sha256 ? '' : '; with earlier weights'
    const caption = `${rows.join(', ')}; frames ${frames.join(', ')} of ${clipFrames}; ${how}${stale}`
    return [`**${clip}** (${caption})`, '', `![${clip}: ${rows.join(', ')}](${file})`, '']
  })
  return section('### Pictures', parts)
}
