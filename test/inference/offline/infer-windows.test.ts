import { expect, test } from 'vitest'
import { FakeExecutor, expectedDepths } from '../../../src/inference/executors/fake/fake.ts'
import { fakeManifest } from '../../../src/inference/executors/fake/fake-model.ts'
import { inferSequence } from '../../../src/inference/evaluation/infer-sequence.ts'
import { patches } from '../frames.ts'
import { stitch, windowsOf } from './reference.ts'

const size = { width: 28, height: 28 }
const options = { mode: 'vda-window', cacheSize: null } as const

test.each([1, 32, 40, 54, 80])('a sequence of %i frames has the depth of its windows', async (count) => {
  const executor = new FakeExecutor()
  const frames = Array.from({ length: count }, (_, seed) => ({ rgb: patches(seed, size), ...size }))
  const model = { manifest: fakeManifest, weightsPath: '' }
  const maps: Float32Array[] = []
  for await (const { depth } of inferSequence(executor, model, options, frames)) maps.push(depth)
  const windows = windowsOf(count).map((window) =>
    expectedDepths(
      window.map((index) => frames[index]!.rgb),
      { ...options, ...size }
    )
  )
  const expected = stitch(windows, count)
  expect(maps).toHaveLength(count)
  for (const [index, map] of maps.entries()) {
    const worst = map.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[index]![i]!)), 0)
    expect(worst, `frame ${index}`).toBeLessThan(1e-3)
  }
})

test('a sequence without a frame has no depth', async () => {
  const model = { manifest: fakeManifest, weightsPath: '' }
  for await (const map of inferSequence(new FakeExecutor(), model, options, [])) expect(map).toBeUndefined()
})
