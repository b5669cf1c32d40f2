import { afterAll, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import type { Executor, Plan } from '../../../src/inference/executor.ts'
import { OrtCapiExecutor } from '../../../src/inference/executors/ort-capi/ort-capi.ts'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node/ort-node.ts'
import { executorSpec } from '../../../src/inference/index.ts'
import { windowStages } from '../../../src/inference/latents/window-values.ts'
import { VDA_WINDOW } from '../../../src/inference/latents/window.ts'
import { smallPlan } from '../../contract/plans.ts'
import { writeTinyModel } from '../../contract/tiny-model.ts'
import { noise } from '../frames.ts'
import { tinyConvArchitecture } from '../tiny-architecture.ts'
import { largestDifference } from '../graph/step-runner.ts'

const [tiny, tinyConv] = await Promise.all([writeTinyModel(), writeTinyModel(tinyConvArchitecture)])
afterAll(() => Promise.all([tiny.remove(), tinyConv.remove()]))
const exact = smallPlan(tiny)
const half: Plan = { ...exact, precision: 'fp16' }
const convolutional = smallPlan(tinyConv)

function opened<E extends Executor>(executor: E): E {
  onTestFinished(() => executor.close())
  return executor
}

/** Of the largest depth. Noise through random weights now and then meets a norm of almost nothing: hence medians. */
const typicalError = 0.02

const capi = () => opened(new OrtCapiExecutor({ device: 'cpu', maxBatch: 2 }))

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

interface Stream {
  step(framesSeen: number): Promise<Float32Array>
}

async function streamOf(executor: Executor, plan: Plan): Promise<Stream> {
  const model = await executor.load(plan)
  const state = await executor.newState(model)
  return {
    step: async (framesSeen) => {
      const [result] = await executor.step(model, [{ state, framesSeen, frame: noise(framesSeen, plan) }])
      return result!.depth
    }
  }
}

test.each([
  ['ovda', exact],
  ['vda-stream', exact],
  ['ovda, convolutions', convolutional],
  ['vda-stream, convolutions', convolutional]
] as const)(
  'half precision gives nearly the depth of float32, after 64 frames as in the beginning (%s)',
  async (title, network) => {
    const mode = title.startsWith('ovda') ? 'ovda' : 'vda-stream'
    const executor = capi()
    const streams = [
      await streamOf(executor, { ...network, mode }),
      await streamOf(executor, { ...network, mode, precision: 'fp16' })
    ] as const
    const errors: number[] = []
    for (let framesSeen = 0; framesSeen < 64; framesSeen++) {
      const [expected, actual] = [await streams[0].step(framesSeen), await streams[1].step(framesSeen)]
      errors.push(largestDifference(expected, actual) / Math.max(...expected))
    }
    expect(Math.min(...errors)).toBeGreaterThan(0)
    expect(median(errors)).toBeLessThan(typicalError)
    expect(median(errors.slice(48))).toBeLessThan(typicalError)
  },
  60_000
)

test('a latent cache in half precision takes half the bytes, and goes on after an export', async () => {
  const executor = capi()
  for (const mode of ['ovda', 'vda-stream', 'vda-window'] as const)
    expect(executor.stateBytes({ ...half, mode })).toBe(executor.stateBytes({ ...exact, mode }) / 2)
  const model = await executor.load(half)
  const state = await executor.newState(model)
  const step = async (handle: number, framesSeen: number) => {
    const row = { state: handle, framesSeen, frame: noise(framesSeen, half) }
    return (await executor.step(model, [row]))[0]!.depth
  }
  for (const framesSeen of [0, 1, 2, 3, 4]) await step(state, framesSeen)
  const bytes = await executor.exportState(state)
  expect(bytes).toHaveLength(executor.stateBytes(half))
  const copy = await executor.importState(model, bytes)
  expect(await step(copy, 5)).toEqual(await step(state, 5))
})

test('rows of a step in half precision give what they give alone', async () => {
  const executor = capi()
  const model = await executor.load(half)
  const newStates = () => Promise.all([0, 1].map(() => executor.newState(model)))
  const [together, alone] = [await newStates(), await newStates()]
  const errors: number[] = []
  for (let framesSeen = 0; framesSeen < 5; framesSeen++) {
    const row = (states: number[], i: number) => ({
      ...{ state: states[i]!, framesSeen },
      frame: noise(10 * i + framesSeen, half)
    })
    const both = await executor.step(model, [row(together, 0), row(together, 1)])
    for (const i of [0, 1]) {
      const [single] = await executor.step(model, [row(alone, i)])
      errors.push(largestDifference(both[i]!.depth, single!.depth) / Math.max(...single!.depth))
    }
  }
  expect(median(errors)).toBeLessThan(typicalError)
})

test('an offline window in half precision gives nearly the depth of float32', async () => {
  const executor = capi()
  const places = Int32Array.from({ length: VDA_WINDOW }, (_, place) => place)
  const depths = async (plan: Plan): Promise<Float32Array[]> => {
    const model = await executor.load({ ...plan, mode: 'vda-window' })
    const state = await executor.newState(model)
    const maps: Float32Array[] = []
    for (let stage = 0; stage < windowStages; stage++)
      for (const slot of places) {
        const frame = stage === 0 ? noise(slot, plan) : null
        const result = await executor.slice(model, { state, stage, slot, places, frame })
        if (result) maps.push(result.depth)
      }
    return maps
  }
  const [expected, actual] = [await depths(exact), await depths(half)]
  const errors = expected.map((depth, i) => largestDifference(depth, actual[i]!) / Math.max(...depth))
  expect(median(errors)).toBeLessThan(typicalError)
}, 60_000)

test('ort-node refuses half precision; asked for by configuration it goes to ort-capi, or to WebGPU', async () => {
  const executor = opened(new OrtNodeExecutor({ threads: 1 }))
  await expect(executor.load(half)).rejects.toMatchObject({
    code: 'EXECUTOR_FAILED',
    message: expect.stringContaining('LEADLINE_EXECUTOR=ort-capi') as string
  })
  expect(executorSpec(loadConfig({ LEADLINE_PRECISION: 'fp16' })).kind).toBe('ort-capi')
  const wrong = loadConfig({ LEADLINE_PRECISION: 'fp16', LEADLINE_EXECUTOR: 'ort-node' })
  expect(() => executorSpec(wrong)).toThrow(/LEADLINE_PRECISION=fp16 take ort-capi/)
  const webgpu = loadConfig({ LEADLINE_PRECISION: 'fp16', LEADLINE_DEVICE: 'webgpu' })
  expect(executorSpec(webgpu).kind).toBe('ort-webgpu')
})
