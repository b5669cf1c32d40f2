import { afterAll } from 'vitest'
import { OrtNodeExecutor } from '../../src/inference/executors/ort-node/ort-node.ts'
import { ProcessExecutor } from '../../src/inference/executors/process/process.ts'
import { silent } from '../inference/fake-engine.ts'
import { tinyConvArchitecture } from '../inference/tiny-architecture.ts'
import { executorContract } from './executor.suite.ts'
import { smallPlan } from './plans.ts'
import { writeTinyModel } from './tiny-model.ts'

const [transformer, convolutional] = await Promise.all([
  writeTinyModel(),
  writeTinyModel(tinyConvArchitecture)
])
afterAll(() => Promise.all([transformer.remove(), convolutional.remove()]))

const create = async () => new OrtNodeExecutor({ threads: 1 })
executorContract({ name: 'ort-node', create, plan: () => smallPlan(transformer) })
executorContract({ name: 'ort-node, convolutions', create, plan: () => smallPlan(convolutional) })

executorContract({
  name: 'ort-node in a process',
  create: () => ProcessExecutor.start({ spec: { kind: 'ort-node', threads: 1 }, log: silent }),
  plan: () => smallPlan(transformer)
})
