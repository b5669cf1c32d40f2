import { expect, onTestFinished, test } from 'vitest'
import type { Executor, Plan } from '../../../../src/inference/executor.ts'
import { OrtNodeExecutor } from '../../../../src/inference/executors/ort-node/ort-node.ts'
import { ProcessExecutor } from '../../../../src/inference/executors/process/process.ts'
import { OrtWebGpuExecutor } from '../../../../src/inference/executors/ort-webgpu/ort-webgpu.ts'
import { silent } from '../../fake-engine.ts'
import { noise } from '../../frames.ts'
import { largestDifference } from '../../graph/step-runner.ts'

/** Of the largest depth. Rounding apart the numbers are equal; a wrong slot or place is off by a hundred times this. */
const tolerance = 1e-4

function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  return largestDifference(actual, expected) / expected.reduce((most, value) => Math.max(most, value), 0)
}

/** What the executor promises beyond the contract of all. Plans are of mode ovda, with a window of 4. */
export function webGpuBehaviour(smallPlan: Plan, convolutions: Plan): void {
  // Half a grid of 3x3 is 2x2: a norm over a single cell would make much of rounding.
  const plan: Plan = { ...smallPlan, width: 42, height: 42 }
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

  test.each(['vda-stream', 'single'] as const)(
    'sixty steps of mode %s, around the ring, give what the CPU gives',
    async (mode) => {
      const [device, cpu] = await openBoth({ mode })
      const differences: number[] = []
      for (let t = 0; t < 60; t++)
        differences.push(relativeDifference(await device.step(t), await cpu.step(t)))
      expect(Math.max(...differences)).toBeLessThan(tolerance)
    }
  )

  test('a convolutional encoder gives what the CPU gives, around the ring, and nearly so in half precision', async () => {
    const square = { ...convolutions, width: 96, height: 96 }
    const [device, cpu] = await openBoth(square)
    const half = await open(new OrtWebGpuExecutor(), { ...square, precision: 'fp16' })
    for (let t = 0; t < 10; t++) {
      const frame = noise(t, square)
      const expected = await cpu.step(t, frame)
      expect(relativeDifference(await device.step(t, frame), expected)).toBeLessThan(tolerance)
      expect(relativeDifference(await half.step(t, frame), expected)).toBeLessThan(0.02)
    }
  })

  test('a past that is off by one frame is told from the right one', async () => {
    const [device, cpu] = await openBoth()
    for (let t = 0; t < 6; t++) {
      await device.step(t)
      await cpu.step(t, frames[(t + 1) % frames.length])
    }
    expect(relativeDifference(await device.step(6), await cpu.step(6))).toBeGreaterThan(100 * tolerance)
  })

  test('eight sessions interleaved over 504 steps give what each gives on the CPU, no byte of a cache moves and memory is flat', async () => {
    const gpu = new OrtWebGpuExecutor()
    const cpu = new OrtNodeExecutor({ threads: 1 })
    const sessions = await Promise.all(
      Array.from({ length: 8 }, async () => [await open(gpu), await open(cpu)] as const)
    )
    const stepAll = async (t: number) => {
      for (const [i, [device, reference]] of sessions.entries()) {
        const frame = noise(10 * i + (t % 3), plan)
        const [actual, expected] = [await device.step(t, frame), await reference.step(t, frame)]
        expect(relativeDifference(actual, expected)).toBeLessThan(tolerance)
      }
    }
    for (let t = 0; t < 20; t++) await stepAll(t)
    const [before, residentBytes] = [await gpu.transfers(), process.memoryUsage.rss()]
    for (let t = 20; t < 63; t++) await stepAll(t)
    const after = await gpu.transfers()
    expect([before.frames, after.frames]).toEqual([160, 504])
    expect([after.toDevice.cache, after.toHost.cache]).toEqual([before.toDevice.cache, before.toHost.cache])
    // With its rings lost at every step it would be 22 MiB by now.
    expect((process.memoryUsage.rss() - residentBytes) / 2 ** 20).toBeLessThan(12)
  })

  test('a cache goes on in another executor, from the CPU to WebGPU and back', async () => {
    const [device, cpu] = await openBoth()
    for (let t = 0; t < 3; t++) await cpu.step(t)
    await device.importState(await cpu.exportState())
    expect(relativeDifference(await device.step(3), await cpu.step(3))).toBeLessThan(tolerance)
    await cpu.importState(await device.exportState())
    expect(relativeDifference(await cpu.step(4), await device.step(4))).toBeLessThan(tolerance)
  })

  test('in half precision the depth is nearly the same, and a cache has half the bytes', async () => {
    const [device, cpu] = await openBoth()
    const half = await open(new OrtWebGpuExecutor(), { precision: 'fp16' })
    for (let t = 0; t < 8; t++) {
      const [depth, expected] = [await half.step(t), await cpu.step(t)]
      expect(relativeDifference(depth, expected)).toBeLessThan(0.02)
      expect(relativeDifference(depth, expected)).toBeGreaterThan(1e-5)
    }
    const bytes = await half.exportState()
    expect(2 * bytes.length).toBe((await device.exportState()).length)
    const before = await half.step(8)
    await half.importState(bytes)
    expect(await half.step(8)).toEqual(before)
  })

  test('in a process of its own it steps, and ends in peace', async () => {
    const executor = await ProcessExecutor.start({ spec: { kind: 'ort-webgpu' }, log: silent })
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
}
