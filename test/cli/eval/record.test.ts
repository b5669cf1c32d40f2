import { expect, test } from 'vitest'
import { describeRun } from '../../../src/cli/eval/record.ts'
import { fakeManifest } from '../../../src/inference/executors/fake/fake-model.ts'

const model = { manifest: fakeManifest, weightsPath: '' }
const defaults = { mode: 'ovda', cacheSize: null } as const

test('a record says in words what is not at its default, so that runs are told apart', () => {
  const described = describeRun(model, defaults)
  expect(described).toMatchObject({ model: fakeManifest.name, mode: 'ovda', options: '' })
  expect(described.cacheSize).toBe(fakeManifest.temporal.defaultCacheSize)
  const wished = describeRun(
    { ...model, precision: 'int8' },
    { ...defaults, stabilize: true, sceneCut: true }
  )
  expect(wished.options).toBe('int8 sceneCut stabilize')
})
