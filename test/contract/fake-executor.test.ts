import { expect, test } from 'vitest'
import type { Plan } from '../../src/inference/executor.ts'
import { expectedDepths, FakeExecutor } from '../../src/inference/executors/fake/fake.ts'
import { ProcessExecutor } from '../../src/inference/executors/process/process.ts'
import { windowStages } from '../../src/inference/latents/window-values.ts'
import { silent } from '../inference/fake-engine.ts'
import { noise } from '../inference/frames.ts'
import { executorContract } from './executor.suite.ts'
import { noWeights, smallPlan } from './plans.ts'

const plan = () => smallPlan(noWeights)

executorContract({ name: 'fake', create: async () => new FakeExecutor(), plan })

executorContract({
  name: 'fake in a process',
  create: () => ProcessExecutor.start({ spec: { kind: 'fake' }, log: silent }),
  plan
})

test.each(['ovda', 'single', 'vda-stream'] as const)(
  'in mode %s the depth is that of what is seen',
  async (mode) => {
    const executor = new FakeExecutor()
    const one: Plan = { ...plan(), mode }
    const frames = Array.from({ length: 100 }, (_, seed) => noise(seed, one))
    const model = await executor.load(one)
    const state = await executor.newState(model)
    const depths: Float32Array[] = []
    for (const [framesSeen, frame] of frames.entries())
      depths.push(...(await executor.step(model, [{ state, framesSeen, frame }])).map(({ depth }) => depth))
    expect(depths).toEqual(expectedDepths(frames, one))
  }
)

test('in mode vda-window the depth is that of the whole window, in whatever slots its frames lie', async () => {
  const executor = new FakeExecutor()
  const one: Plan = { ...plan(), mode: 'vda-window' }
  const frames = Array.from({ length: 32 }, (_, seed) => noise(seed, one))
  const places = Int32Array.from({ length: 32 }, (_, slot) => (slot * 7) % 32)
  const model = await executor.load(one)
  const state = await executor.newState(model)
  const depths: Float32Array[] = []
  for (let stage = 0; stage < windowStages; stage++)
    for (const [slot, place] of places.entries()) {
      const frame = stage === 0 ? frames[place]! : null
      const result = await executor.slice(model, { state, stage, slot, places, frame })
      if (result) depths[place] = result.depth
    }
  expect(depths).toEqual(expectedDepths(frames, one))
})
