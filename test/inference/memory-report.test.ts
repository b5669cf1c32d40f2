import { expect, test } from 'vitest'
import { fakeManifest } from '../../src/inference/executors/fake/fake-model.ts'
import { fakeStateBytes } from '../../src/inference/executors/fake/fake.ts'
import { describeMemory, modelMemory, usualMode } from '../../src/inference/memory-report.ts'
import { fakeEngine, openSession } from './fake-engine.ts'

const model = { manifest: fakeManifest, weightsPath: '' }
const executor = { stateBytes: fakeStateBytes, caps: { maxBatch: 1 } }
const memory = modelMemory(model, executor, 1_000_000)

test('the sessions that are said to fit are those that the engine opens', async () => {
  const engine = fakeEngine({ capacityBytes: 1_000_000 })
  const { sessions, reservedBytes } = usualMode(memory)
  for (let i = 0; i < sessions!; i++)
    expect((await openSession(engine, `s${i}`)).opened.bytes).toBe(reservedBytes)
  await expect(openSession(engine, 'one too many')).rejects.toMatchObject({ code: 'NO_CAPACITY' })
  await engine.closeAll()
})

test('no shape of source takes more than is reserved', () => {
  for (const { classes, reservedBytes } of memory.modes)
    for (const { bytes } of classes) expect(bytes).toBeLessThanOrEqual(reservedBytes)
  expect(usualMode(memory).classes.map(({ aspect, size }) => [aspect, size])).toContainEqual([
    '16:9',
    { width: 56, height: 28 }
  ])
})

test('weights count as float32, however they are stored', () => {
  const weighing = (dtype: string) => {
    const manifest = { ...fakeManifest, weights: { ...fakeManifest.weights, bytes: 1000, dtype } }
    return modelMemory({ ...model, manifest }, executor, 0).weightsBytes
  }
  expect([weighing('float16'), weighing('bfloat16'), weighing('float32')]).toEqual([2000, 2000, 1000])
})

test('the line for people has every mode, the usual one by the shape of the source', () => {
  expect(describeMemory(memory)).toMatch(
    /^ovda \(window 16\) takes up to [\d.]+ MiB and [\d.]+ MiB of the host a session, \d+ fit \([\d.]+ MiB at 16:9 \(56x28\), /
  )
  expect(describeMemory(memory)).toMatch(
    /; vda-stream takes .*; vda-window takes .*; single takes .*; weights/
  )
})

test('every size of batch holds the weights once more, and half precision half of them', () => {
  const manifest = {
    ...model.manifest,
    weights: { ...model.manifest.weights, bytes: 400, dtype: 'float32' as const }
  }
  const bytes = (maxBatch: number, precision: 'fp32' | 'fp16') =>
    modelMemory({ ...model, manifest, precision }, { ...executor, caps: { maxBatch } }, 0).weightsBytes
  expect([bytes(1, 'fp32'), bytes(8, 'fp32'), bytes(8, 'fp16')]).toEqual([400, 1600, 800])
})
