import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { windowFeed } from '../../../src/inference/latents/window.ts'
import { openGoldenFolder, readDepths, readFrames } from '../../../src/inference/evaluation/golden-folder.ts'
import { verifyGoldens } from '../../../src/inference/evaluation/verify.ts'
import { largestDifference, StepRunner } from './step-runner.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const official = path.join(root, '../shared/data/golden')
const everyMode = [
  ...['ovda-c16-self', 'ovda-c16-strict', 'ovda-c8-strict', 'single'],
  ...['vda-stream31', 'vda-window32']
]
const usual = ['fast', 'standard'] as const
const folders = [
  { name: 'the official code', directory: official, modes: everyMode, opSets: usual },
  {
    name: 'our own training code',
    directory: path.join(root, 'test/fixtures/golden-nano'),
    modes: everyMode,
    opSets: usual
  },
  {
    name: 'a convolutional encoder in our own training code',
    directory: path.join(root, 'test/fixtures/golden-conv'),
    modes: ['ovda-c8-strict', 'single', 'vda-stream31', 'vda-window32'],
    opSets: [...usual, 'webgpu', 'tensorrt'] as const
  }
]

for (const { name, directory, modes, opSets } of folders)
  for (const opSet of opSets)
    test(
      `the network gives the depth of ${name}, with ${opSet} operators`,
      { timeout: 120_000 },
      async (context) => {
        context.skip(!existsSync(directory), `${directory} is not here`)
        const results = await verifyGoldens(directory, undefined, { opSet })
        expect(results.map(({ mode }) => mode).sort()).toEqual(modes)
        for (const result of results) expect(result).toMatchObject({ outcome: 'equal' })
      }
    )

test('a ring whose positions are not rotated misses the golden', { timeout: 60_000 }, async (context) => {
  context.skip(!existsSync(official), `${official} is not here`)
  const folder = await openGoldenFolder(official)
  const golden = folder.goldens.find(({ mode }) => mode === 'ovda-c8-strict')!
  const { architecture, weights } = folder
  const runner = await StepRunner.create({
    ...golden,
    architecture,
    weights,
    mode: 'ovda',
    cacheSize: 8,
    window: (framesSeen) => {
      const { positions, ...feed } = windowFeed(framesSeen, 8, false)
      return { ...feed, positions: positions.map((_, slot) => slot) }
    }
  })
  onTestFinished(() => runner.release())
  const [expected, frames] = [await readDepths(folder, golden), await readFrames(folder, golden)]
  const state = runner.newState()
  const errors: number[] = []
  for (let t = 0; t < 12; t++) {
    const [depth] = await runner.step([state], [frames[t]!])
    errors.push(largestDifference(depth!, expected[t]!))
  }
  // Until the ring wraps the slots are in order by themselves.
  expect(errors[7]).toBeLessThan(1e-4)
  expect(errors[11]).toBeGreaterThan(1e-2)
})
