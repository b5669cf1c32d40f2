import { afterAll } from 'vitest'
import { OrtNodeExecutor } from '../../src/inference/executors/ort-node/ort-node.ts'
import { ProcessExecutor } from '../../src/inference/executors/process/process.ts'
import { silent } from '../inference/fake-engine.ts'
import { executorContract } from './executor.suite.ts'
import { smallPlan } from './plans.ts'
import { writeTinyModel } from './tiny-model.ts'

const model = await writeTinyModel()
afterAll(() => model.remove())
const plan = () => smallPlan(model)

executorContract({ name: 'ort-node', create: async () => new OrtNodeExecutor({ threads: 1 }), plan })

executorContract({
  name: 'ort-node in a process',
  create: () => ProcessExecutor.start({ spec: { kind: 'ort-node', threads: 1 }, log: silent }),
  plan
})
