import { afterAll, describe, vi } from 'vitest'
import { OrtWebGpuExecutor } from '../../src/inference/executors/ort-webgpu/ort-webgpu.ts'
import { whyNoWebGpu } from '../helpers/webgpu.ts'
import { tinyConvArchitecture } from '../inference/tiny-architecture.ts'
import { webGpuBehaviour } from '../inference/executors/ort-webgpu/ort-webgpu.suite.ts'
import { executorContract } from './executor.suite.ts'
import { smallPlan } from './plans.ts'
import { writeTinyModel } from './tiny-model.ts'

// A software driver compiles the shaders in the first steps, for a minute and more where processes compete. That is also
// why everything of WebGPU is in this one file, which is one process.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const reason = await whyNoWebGpu()
const [model, convolutional] = await Promise.all([writeTinyModel(), writeTinyModel(tinyConvArchitecture)])
afterAll(() => Promise.all([model.remove(), convolutional.remove()]))
const plan = () => smallPlan(model)
const convolutions = () => smallPlan(convolutional)

describe.skipIf(reason)(reason ?? 'on WebGPU', () => {
  const create = async () => new OrtWebGpuExecutor()
  const modes = ['ovda', 'single', 'vda-stream'] as const
  executorContract({ name: 'ort-node on WebGPU', create, plan, modes })
  executorContract({ name: 'ort-node on WebGPU, convolutions', create, plan: convolutions, modes })

  webGpuBehaviour(plan(), convolutions())
})
