import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Executor, Plan } from '../../../src/inference/executor.ts'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node.ts'
import { ProcessExecutor } from '../../../src/inference/executors/process.ts'
import { OrtWebGpuExecutor } from '../../../src/inference/executors/ort-webgpu.ts'
import { smallPlan } from '../../contract/plans.ts'
import { writeTinyModel } from '../../contract/tiny-model.ts'
import { whyNoWebGpu } from '../../helpers/webgpu.ts'
import { silent } from '../fake-engine.ts'
import { noise } from '../frames.ts'
import { largestDifference } from '../graph/step-runner.ts'

// A software driver compiles the shaders in the first steps.
vi.setConfig({ testTimeout: 300_000 })

/** Of the largest depth. Rounding apart the numbers are equal; a wrong slot or place is off by several times this. */
const tolerance = 2e-3

const reason = await whyNoWebGpu()
const tiny = await writeTinyModel()
afterAll(() => tiny.remove())
const plan: Plan = { ...smallPlan(tiny), width: 28, height: 14 }
const frames = Array.from({ length: 7 }, (_, seed) => noise(seed, plan))

async function open(executor: Executor, changes: Partial<Plan> = {}) {
  onTestFinished(() => executor.close())
  const model = await executor.load({ ...plan, ...changes })
  let state = await executor.newState(model)
  return {
    executor,
    /** Depth of frame number `framesSeen` of one video. */
    step: async (framesSeen: number, frame = frames[framesSeen % frames.length]!) =>
      (await executor.step(model, [{ state, framesSeen, frame }]))[0]!.depth,
    exportState: () => executor.exportState(state),
    importState: async (bytes: Uint8Array) => (state = await executor.importState(model, bytes))
  }
}

const openBoth = async (changes: Partial<Plan> = {}) =>
  [
    await open(new OrtWebGpuExecutor(), changes),
    await open(new OrtNodeExecutor({ threads: 1 }), changes)
  ] as const

function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  return largestDifference(actual, expected) / expected.reduce((most, value) => Math.max(most, value), 0)
}

describe.skipIf(reason)(reason ?? 'on WebGPU', () => {
  test.each(['ovda', 'vda-stream', 'single'] as const)(
    'sixty steps of mode %s, around the ring, give what the CPU gives',
    async (mode) => {
      const [device, cpu] = await openBoth({ mode })
      const differences: number[] = []
      for (let t = 0; t < 60; t++)
        differences.push(relativeDifference(await device.step(t), await cpu.step(t)))
      expect(Math.max(...differences)).toBeLessThan(tolerance)
    }
  )

  test('a past that is off by one frame is told from the right one', async () => {
    const [device, cpu] = await openBoth()
    for (let t = 0; t < 6; t++) {
      await device.step(t)
      await cpu.step(t, frames[(t + 1) % frames.length])
    }
    expect(relativeDifference(await device.step(6), await cpu.step(6))).toBeGreaterThan(4 * tolerance)
  })

  test('hundreds of steps move no byte of a cache and take no more memory', async () => {
    const device = await open(new OrtWebGpuExecutor(), { cacheSize: 32 })
    for (let t = 0; t < 50; t++) await device.step(t)
    const [before, residentBytes] = [await device.executor.transfers(), process.memoryUsage.rss()]
    for (let t = 50; t < 300; t++) await device.step(t)
    const after = await device.executor.transfers()
    expect(after.frames - before.frames).toBe(250)
    expect([after.toDevice.cache, after.toHost.cache]).toEqual([before.toDevice.cache, before.toHost.cache])
    // With its 128 KiB of rings lost at every step it would be 32 MiB by now.
    expect((process.memoryUsage.rss() - residentBytes) / 2 ** 20).toBeLessThan(16)
  })

  test('a cache goes on in another executor, from the CPU to WebGPU and back', async () => {
    const [device, cpu] = await openBoth()
    for (let t = 0; t < 3; t++) await cpu.step(t)
    await device.importState(await cpu.exportState())
    expect(relativeDifference(await device.step(3), await cpu.step(3))).toBeLessThan(tolerance)
    await cpu.importState(await device.exportState())
    expect(relativeDifference(await cpu.step(4), await device.step(4))).toBeLessThan(tolerance)
  })

  test('in a process of its own it steps, and ends in peace', async () => {
    const executor = await ProcessExecutor.start({
      spec: { kind: 'ort-webgpu' },
      log: silent,
      loadTimeoutMs: 300_000
    })
    let losses = 0
    executor.onLoss(() => (losses += 1))
    const [device, cpu] = [await open(executor), await open(new OrtNodeExecutor({ threads: 1 }))]
    for (let t = 0; t < 3; t++)
      expect(relativeDifference(await device.step(t), await cpu.step(t))).toBeLessThan(tolerance)
    await executor.close()
    expect(losses).toBe(0)
  })

  test('a state that has seen nothing is zeros, and a window is refused with a remedy', async () => {
    const device = await open(new OrtWebGpuExecutor())
    expect((await device.exportState()).every((byte) => byte === 0)).toBe(true)
    await expect(device.executor.load({ ...plan, mode: 'vda-window' })).rejects.toMatchObject({
      code: 'EXECUTOR_FAILED',
      message: expect.stringContaining('LEADLINE_DEVICE=cpu') as string
    })
  })
})
