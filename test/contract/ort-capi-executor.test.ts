import { afterAll } from 'vitest'
import { OrtCapiExecutor } from '../../src/inference/executors/ort-capi.ts'
import { executorContract } from './executor.suite.ts'
import { smallPlan } from './plans.ts'
import { writeTinyModel } from './tiny-model.ts'

const model = await writeTinyModel()
afterAll(() => model.remove())

executorContract({
  name: 'ort-capi on the CPU',
  create: async () => new OrtCapiExecutor({ device: 'cpu', maxBatch: 4 }),
  plan: () => smallPlan(model)
})
