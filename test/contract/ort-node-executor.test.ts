import { afterAll, expect, onTestFinished, test } from 'vitest'
import { OrtNodeExecutor } from '../../src/inference/executors/ort-node/ort-node.ts'
import { ProcessExecutor } from '../../src/inference/executors/process/process.ts'
import type { ExecutorSpec } from '../../src/inference/executors/spec.ts'
import { silent } from '../inference/fake-engine.ts'
import { noise } from '../inference/frames.ts'
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

const inProcess: [string, ExecutorSpec][] = [
  ['ort-node', { kind: 'ort-node', threads: 1 }],
  ['ort-capi', { kind: 'ort-capi', device: 'cpu', threads: 1 }]
]
test.each(inProcess)(
  '%s: no step waits for the load of another network',
  async (_, spec) => {
    const executor = await ProcessExecutor.start({ spec, log: silent })
    onTestFinished(() => executor.close())
    const plan = smallPlan(transformer)
    const model = await executor.load(plan)
    const state = await executor.newState(model)
    const frame = noise(1, plan)
    let framesSeen = 0
    const step = async () => {
      const startedMs = performance.now()
      await executor.step(model, [{ state, framesSeen: framesSeen++, frame }])
      return performance.now() - startedMs
    }
    await step()
    const startedMs = performance.now()
    let loadMs = 0
    // Its first run alone has the work of some five hundred of those steps.
    const large = executor.load({ ...plan, width: 24 * plan.width, height: 24 * plan.height })
    void large.finally(() => (loadMs = performance.now() - startedMs))
    const steps: number[] = []
    while (loadMs === 0) steps.push(await step())
    expect(await large).not.toBe(model)
    expect(Math.max(...steps)).toBeLessThan(loadMs / 3)
    const { frames } = await executor.transfers()
    await executor.unload(await large)
    expect((await executor.transfers()).frames).toBe(frames)
    await step()
  },
  120_000
)
