import { access, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { learningCurve } from '../../scripts/models-page/learning-curve.ts'
import { modelsPage } from '../../scripts/models-page/page.ts'
import type { ResultFiles } from '../../scripts/models-page/result-files.ts'
import { readResults } from '../../scripts/models-page/result-files.ts'
import type { Manifest } from '../../src/manifest.ts'
import { temporaryFolder } from '../video/clip-file.ts'

const digest = 'a'.repeat(64)
const manifest: Manifest = {
  ...{ schema: 1, name: 'tiny', title: 'A tiny model', license: 'MIT', nonCommercial: false },
  quantity: 'relative-inverse-depth',
  weights: { file: 'w', sha256: digest, bytes: 2 ** 21, dtype: 'float16' },
  architecture: {
    ...{ family: 'video-depth-anything', patch: 14, embedDim: 8, blocks: 4, encoderHeads: 1 },
    ...{ taps: [0, 1, 2, 3], mlpRatio: 4, features: 8, outChannels: [8, 8, 8, 8] },
    ...{ temporalHeads: 1, positionTable: [3, 3] }
  },
  temporal: { modes: ['ovda', 'single'], cacheSizes: [8, 16], defaultCacheSize: 16, attendSelf: false },
  resolution: { multiple: 14, lowerBound: 112, maxArea: 20_000 }
}
const none: ResultFiles = { evaluations: [], learningCurve: [], ablation: [], int8: [], pictures: [] }

const evaluation = {
  ...{ model: 'tiny', digest, data: 'clips', layout: 'plain', mode: 'ovda', cacheSize: 16, options: '' },
  ...{ fit: 'global', absRel: 0.3168, delta1: 0.5476, flicker: 0.1174, frames: 48, firstAbsRel: 0.5 },
  ...{ firstDelta1: 0.45, gap: 0.1832, tae: 2.2, truthTae: 2.1, sequences: 2 }
}
const scores = { absRel: 0.25, delta1: 0.6 }
const video = {
  first: { absRel: 0.4, delta1: 0.5 },
  global: scores,
  gap: { absRel: 0.15, delta1: -0.1 },
  flicker: 0.1
}
const curveRow = { images: 1000, cpuMinutes: 5, lowerBound: 112, stills: scores, clips: scores }

async function results(files: Record<string, object[]>): Promise<ResultFiles> {
  const folder = path.join(await temporaryFolder(), 'results')
  await mkdir(folder)
  for (const [name, rows] of Object.entries(files)) {
    await writeFile(
      path.join(folder, `${name}.jsonl`),
      rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    )
  }
  return readResults(folder)
}

const page = (found: ResultFiles, notes: string | null = null, more: Partial<Manifest> = {}) =>
  modelsPage([{ manifest: { ...manifest, ...more }, results: found, notes, curveFile: null }])

test('a model without results has its facts, and no empty sections', () => {
  const text = page(none)
  expect(text).toContain('## tiny')
  expect(text).toContain('- licence: MIT')
  expect(text).toContain('2.0 MiB, float16, sha256 `aaaaaaaaaaaaaaaa`')
  expect(text).not.toContain('###')
})

test('what is written by hand is taken over as it is', () => {
  expect(page(none, '- It is *wrong* about mirrors.\n')).toContain(
    '### What is wrong with it\n\n- It is *wrong* about mirrors.\n'
  )
})

test('of two runs of one thing the last counts, and earlier weights are marked', async () => {
  const found = await results({
    eval: [
      { ...evaluation, absRel: 0.9 },
      evaluation,
      { ...evaluation, mode: 'single', cacheSize: null, digest: 'b'.repeat(64), tae: null, truthTae: null },
      { ...evaluation, fit: 'first', absRel: 0.5 }
    ]
  })
  const rows = page(found)
    .split('\n')
    .filter((line) => line.startsWith('| clips'))
  expect(rows).toEqual([
    '| clips | ovda c16 | .317 / .548 | .500 / .450 | +.183 | .117 | 2.20 (2.10) | 48 in 2 |',
    '| clips † | single | .317 / .548 | .500 / .450 | +.183 | .117 | – | 48 in 2 |'
  ])
})

test('stills have no gap and no flicker', async () => {
  const found = await results({
    eval: [{ ...evaluation, data: 'stills', frames: 2, tae: null, truthTae: null }]
  })
  expect(page(found)).toContain('| stills | ovda c16 | .317 / .548 | – | – | – | – | 2 in 2 |')
})

test('metrics of the training code become rows, however deep they lie', () => {
  const metrics = {
    holdout: { size: [1, 2], stills: scores, 'ovda-c8': video },
    seen: { constant: { flicker: 0.1 } }
  }
  const rows = page(none, null, { metrics })
    .split('\n')
    .filter((line) => line.startsWith('| holdout'))
  expect(rows).toEqual([
    '| holdout | .250 / .600 | – | – | – |',
    '| holdout, ovda-c8 | – | .250 / .600 | .400 / .500 | .100 |'
  ])
})

test('the training record adds up its runs', () => {
  const runs = [
    { config: 'a.json', steps: 1500, images: 30_000, cpuMinutes: 12.4 },
    { config: 'b.json', steps: 500, images: 23_450, cpuMinutes: 8 }
  ]
  const text = page(none, null, { training: { method: 'from nothing', runs, note: 'Cut short.' } })
  expect(text).toContain('From nothing. Cut short.')
  expect(text).toContain('| **2 runs** | 2,000 | 53,450 | 20 |')
})

test('ablation, 8-bit figures and pictures have their tables and captions', async () => {
  const found = await results({
    ablation: [
      {
        row: 'mask off',
        start: { steps: 200, lowerBound: 112 },
        stills: scores,
        single: video,
        'ovda-c4': video
      }
    ],
    int8: [{ name: 'speed', value: 12.345, unit: 'ms', ratio: 1.4567, to: 'fp32' }],
    pictures: [
      {
        ...{ clip: 'street', file: 'models/tiny/street.jpg', rows: ['frame', 'depth'], frames: [1, 3] },
        ...{ clipFrames: 5, mode: 'ovda', cacheSize: 16, digest }
      }
    ]
  })
  const text = page(found)
  expect(text).toContain('| mask off | per frame | .250 / .600 | .250 / .600 | .400 / .500 | +.150 | .100 |')
  expect(text).toContain('| mask off | ovda-c4 | – | .250 / .600 | .400 / .500 | +.150 | .100 |')
  expect(text).toContain('| speed | 12.3 ms | 1.46 | fp32 |')
  expect(text).toContain('**street** (frame, depth; frames 1, 3 of 5; ovda c16)')
  expect(text).toContain('![street: frame, depth](models/tiny/street.jpg)')
})

test('a line that is not what its file holds is named', async () => {
  await expect(results({ eval: [evaluation, { ...evaluation, absRel: 'low' }] })).rejects.toThrow(
    /eval\.jsonl, line 2: \/absRel/
  )
})

test('the learning curve joins what was measured at one size, from two points on, the same each time', () => {
  expect(learningCurve([curveRow, { ...curveRow, images: 2000, lowerBound: 196 }], 112)).toBeNull()
  const rows = [curveRow, { ...curveRow, images: 4000, rgbd: scores, stills: { absRel: 0.2, delta1: 0.7 } }]
  const svg = learningCurve(rows, 112)
  expect(svg).toBe(learningCurve(rows, 112))
  expect(svg?.match(/<polyline/g)).toHaveLength(6)
  expect(svg).toContain('>4k</text>')
  expect(svg).not.toContain('NaN')
})

test('every picture the bundled models show is in the repository', async () => {
  const models = fileURLToPath(new URL('../../models/leadline-nano/results', import.meta.url))
  const { pictures } = await readResults(models)
  for (const { file } of pictures) {
    await expect(access(new URL(`../../docs/${file}`, import.meta.url))).resolves.toBeUndefined()
  }
  expect(pictures.length).toBeGreaterThan(0)
})
