import { afterAll, describe, vi } from 'vitest'
import { OrtWebGpuExecutor } from '../../src/inference/executors/ort-webgpu.ts'
import { whyNoWebGpu } from '../helpers/webgpu.ts'
import { executorContract } from './executor.suite.ts'
import { smallPlan } from './plans.ts'
import { writeTinyModel } from './tiny-model.ts'

// A software driver compiles the shaders in the first steps.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const reason = await whyNoWebGpu()
const model = await writeTinyModel()
afterAll(() => model.remove())

describe.skipIf(reason)(reason ?? 'on WebGPU', () => {
  executorContract({
    name: 'ort-node on WebGPU',
    create: async () => new OrtWebGpuExecutor(),
    plan: () => smallPlan(model),
    modes: ['ovda', 'single', 'vda-stream']
  })
})
