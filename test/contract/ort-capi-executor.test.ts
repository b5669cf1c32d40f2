import { afterAll, expect, onTestFinished, test } from 'vitest'
import { OrtCapiExecutor } from '../../src/inference/executors/ort-capi/ort-capi.ts'
import { noise } from '../inference/frames.ts'
import { tinyConvArchitecture } from '../inference/tiny-architecture.ts'
import { executorContract } from './executor.suite.ts'
import { smallPlan } from './plans.ts'
import { writeTinyModel } from './tiny-model.ts'

const [model, convolutional] = await Promise.all([writeTinyModel(), writeTinyModel(tinyConvArchitecture)])
afterAll(() => Promise.all([model.remove(), convolutional.remove()]))

const create = async () => new OrtCapiExecutor({ device: 'cpu', maxBatch: 4 })
executorContract({ name: 'ort-capi on the CPU', create, plan: () => smallPlan(model) })
executorContract({ name: 'ort-capi on the CPU, convolutions', create, plan: () => smallPlan(convolutional) })

test('depth is put where it is wanted, row by row, and nowhere else', async () => {
  const executor = new OrtCapiExecutor({ device: 'cpu', maxBatch: 2 })
  onTestFinished(() => executor.close())
  const plan = smallPlan(model)
  const pixels = plan.width * plan.height
  const handle = await executor.load(plan)
  const states = [await executor.newState(handle), await executor.newState(handle)]
  const memory = new Float32Array(3 * pixels).fill(-1)
  const frame = noise(1, plan)
  const rows = states.map((state, row) => ({ state, framesSeen: 0, frame, into: at(memory, 2 * row) }))
  const results = await executor.step(handle, rows)
  expect(results.map(({ depth }) => depth.buffer === memory.buffer)).toEqual([true, true])
  expect(at(memory, 0).every((value) => value >= 0)).toBe(true)
  expect(at(memory, 2)).toEqual(at(memory, 0))
  expect(at(memory, 1).every((value) => value === -1)).toBe(true)

  function at(floats: Float32Array, map: number): Float32Array {
    return floats.subarray(map * pixels, (map + 1) * pixels)
  }
})
