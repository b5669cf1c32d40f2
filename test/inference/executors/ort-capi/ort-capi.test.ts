import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import koffi from 'koffi'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import type { Executor, Plan } from '../../../../src/inference/executor.ts'
import { OrtCapiExecutor } from '../../../../src/inference/executors/ort-capi/ort-capi.ts'
import { Runtime } from '../../../../src/inference/executors/ort-capi/runtime.ts'
import { OrtNodeExecutor } from '../../../../src/inference/executors/ort-node/ort-node.ts'
import { windowStages } from '../../../../src/inference/latents/window-values.ts'
import { VDA_WINDOW } from '../../../../src/inference/latents/window.ts'
import { smallPlan } from '../../../contract/plans.ts'
import { writeTinyModel } from '../../../contract/tiny-model.ts'
import { noise } from '../../frames.ts'

const tiny = await writeTinyModel()
afterAll(() => tiny.remove())
const plan = smallPlan(tiny)

function opened<E extends Executor>(executor: E): E {
  onTestFinished(() => executor.close())
  return executor
}

/** A step of about a second: the tiny network on a large frame. */
const largePlan = { ...plan, width: 700, height: 700, cacheSize: 4 }

test('two thousand steps through the ring in place give what ort-node gives, bit for bit, in flat memory', async () => {
  const executors = [
    opened(new OrtCapiExecutor({ device: 'cpu' })),
    opened(new OrtNodeExecutor({ threads: 1 }))
  ] as const
  const models = await Promise.all(executors.map((executor) => executor.load(plan)))
  const states = await Promise.all(executors.map((executor, i) => executor.newState(models[i]!)))
  const frames = Array.from({ length: 7 }, (_, seed) => noise(seed, plan))
  const stepBoth = (framesSeen: number) =>
    Promise.all(
      executors.map(async (executor, i) => {
        const row = { state: states[i]!, framesSeen, frame: frames[framesSeen % frames.length]! }
        const [result] = await executor.step(models[i]!, [row])
        return Buffer.from(result!.depth.buffer)
      })
    )
  let residentBytes = 0
  for (let framesSeen = 0; framesSeen < 2000; framesSeen++) {
    const [capi, node] = await stepBoth(framesSeen)
    if (!capi!.equals(node!)) throw new Error(`step ${framesSeen} differs`)
    if (framesSeen === 500) residentBytes = process.memoryUsage.rss()
  }
  const grownMiB = (process.memoryUsage.rss() - residentBytes) / 2 ** 20
  expect(grownMiB).toBeLessThan(64)
  const caches = await Promise.all(executors.map((executor, i) => executor.exportState(states[i]!)))
  expect(Buffer.from(caches[0]!).equals(Buffer.from(caches[1]!))).toBe(true)
}, 120_000)

test('both executors make int8 weights of the bits that they are told', async () => {
  const depthOf = async (executor: Executor) => {
    const model = await opened(executor).load({ ...plan, precision: 'int8' })
    const row = { state: await executor.newState(model), framesSeen: 0, frame: noise(1, plan) }
    return (await executor.step(model, [row]))[0]!.depth
  }
  const [coarse, fine] = [7, 8] as const
  const depth = await depthOf(new OrtNodeExecutor({ threads: 1, weightBits: coarse }))
  expect(await depthOf(new OrtCapiExecutor({ device: 'cpu', weightBits: coarse }))).toEqual(depth)
  expect(await depthOf(new OrtNodeExecutor({ threads: 1, weightBits: fine }))).not.toEqual(depth)
  expect(await depthOf(new OrtCapiExecutor({ device: 'cpu', weightBits: fine }))).not.toEqual(depth)
})

test('a cache exported by one executor goes on in the other', async () => {
  const [capi, node] = [
    opened(new OrtCapiExecutor({ device: 'cpu' })),
    opened(new OrtNodeExecutor({ threads: 1 }))
  ]
  const [capiModel, nodeModel] = [await capi.load(plan), await node.load(plan)]
  const state = await node.newState(nodeModel)
  for (const seed of [0, 1, 2])
    await node.step(nodeModel, [{ state, framesSeen: seed, frame: noise(seed, plan) }])
  const moved = await capi.importState(capiModel, await node.exportState(state))
  const row = { framesSeen: 3, frame: noise(3, plan) }
  const [there] = await capi.step(capiModel, [{ ...row, state: moved }])
  const [here] = await node.step(nodeModel, [{ ...row, state }])
  expect(there).toEqual(here)
})

test('an offline window gives what ort-node gives, bit for bit, and moves between the two half way', async () => {
  const [capi, node] = [
    opened(new OrtCapiExecutor({ device: 'cpu' })),
    opened(new OrtNodeExecutor({ threads: 1 }))
  ]
  const windowed: Plan = { ...plan, mode: 'vda-window' }
  const [capiModel, nodeModel] = [await capi.load(windowed), await node.load(windowed)]
  const [there, here] = [await capi.newState(capiModel), await node.newState(nodeModel)]
  const places = Int32Array.from({ length: VDA_WINDOW }, (_, place) => place)
  const sliceBoth = async (handle: number, stage: number, slot: number) => {
    const row = { stage, slot, places, frame: stage === 0 ? noise(slot, plan) : null }
    const [onCapi, onNode] = [
      await capi.slice(capiModel, { ...row, state: handle }),
      await node.slice(nodeModel, { ...row, state: here })
    ]
    expect(onCapi).toEqual(onNode)
  }
  for (let stage = 0; stage < 3; stage++) for (const slot of places) await sliceBoth(there, stage, slot)
  const moved = await capi.importState(capiModel, await node.exportState(here))
  for (let stage = 3; stage < windowStages; stage++)
    for (const slot of places) await sliceBoth(moved, stage, slot)
}, 60_000)

test('a long step that is cancelled ends at once, and the state goes on as if it had not been begun', async () => {
  const executor = opened(new OrtCapiExecutor({ device: 'cpu' }))
  const model = await executor.load(largePlan)
  const [state, untouched] = [await executor.newState(model), await executor.newState(model)]
  const [first, second] = [noise(1, largePlan), noise(2, largePlan)]
  for (const one of [state, untouched])
    await executor.step(model, [{ state: one, framesSeen: 0, frame: first }])

  const abort = new AbortController()
  const cancelled = executor.step(model, [{ state, framesSeen: 1, frame: first }], abort.signal)
  // The run is on another thread; this one is free to end it.
  setImmediate(() => abort.abort())
  await expect(cancelled).rejects.toMatchObject({
    code: 'EXECUTOR_FAILED',
    message: expect.stringMatching(/terminate/i) as string
  })

  const [again] = await executor.step(model, [{ state, framesSeen: 1, frame: second }])
  const [expected] = await executor.step(model, [{ state: untouched, framesSeen: 1, frame: second }])
  expect(again).toEqual(expected)
}, 60_000)

test('a step leaves the event loop free', async () => {
  const executor = opened(new OrtCapiExecutor({ device: 'cpu' }))
  const model = await executor.load(largePlan)
  const state = await executor.newState(model)
  let turns = 0
  let isRunning = true
  const count = (): void => {
    turns += 1
    if (isRunning) setImmediate(count)
  }
  setImmediate(count)
  await executor.step(model, [{ state, framesSeen: 0, frame: noise(1, largePlan) }])
  isRunning = false
  expect(turns).toBeGreaterThan(20)
}, 60_000)

test('a state for which there is no memory is refused by that name, and those there are go on', async () => {
  const executor = opened(new OrtCapiExecutor({ device: 'cpu' }))
  const model = await executor.load(plan)
  const state = await executor.newState(model)
  const runtime = new Runtime(null, { device: 'cpu' })
  onTestFinished(() => runtime.close())
  const memory = await runtime.stateMemory()
  expect(() => memory.take(2 ** 52)).toThrow(expect.objectContaining({ code: 'MEMORY_EXHAUSTED' }) as Error)
  expect(await executor.step(model, [{ state, framesSeen: 0, frame: noise(1, plan) }])).toHaveLength(1)
})

test('the workspace is bounded for all networks together, and running over it is a lack of memory', async () => {
  const workspaceBytes = 24 * 2 ** 20
  const executor = opened(new OrtCapiExecutor({ device: 'cpu', workspaceBytes }))
  const state = await executor.newState(await executor.load(plan))
  await expect(executor.load(largePlan)).rejects.toMatchObject({
    code: 'MEMORY_EXHAUSTED',
    message: expect.stringMatching(/Available memory of \d+ is smaller than requested bytes of/) as string
  })
  const model = await executor.load(plan)
  expect(await executor.step(model, [{ state, framesSeen: 0, frame: noise(1, plan) }])).toHaveLength(1)
})

test('a load that fails half way keeps no memory', async () => {
  const executor = opened(new OrtCapiExecutor({ device: 'cpu', maxBatch: 4, workspaceBytes: 24 * 2 ** 20 }))
  const large = { ...largePlan, cacheSize: 32 }
  const fail = () => expect(executor.load(large)).rejects.toMatchObject({ code: 'MEMORY_EXHAUSTED' })
  for (let i = 0; i < 3; i++) await fail()
  const residentBytes = process.memoryUsage.rss()
  for (let i = 0; i < 12; i++) await fail()
  expect((process.memoryUsage.rss() - residentBytes) / 2 ** 20).toBeLessThan(64)
  await executor.load(plan)
}, 480_000)

test('memory that no state lies in any more goes back to the device', async () => {
  const runtime = new Runtime(null, { device: 'cpu' })
  onTestFinished(() => runtime.close())
  const memory = await runtime.stateMemory()
  // The first region of an arena that grows by powers of two, as the CPU's does, stays.
  memory.free(memory.take(64))
  const bytes = 512 * 2 ** 20
  const data = memory.take(bytes)
  new Uint8Array(koffi.view(data, bytes)).fill(1)
  const takenBytes = process.memoryUsage.rss()
  memory.free(data)
  await memory.trim()
  expect((takenBytes - process.memoryUsage.rss()) / 2 ** 20).toBeGreaterThan(384)
})

test('a library that is not there, or is none, is refused by its path', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-capi-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'libonnxruntime.so')
  const open = () => new OrtCapiExecutor({ device: 'cpu', library: file })
  expect(open).toThrow(/libonnxruntime\.so: there is no such file; correct LEADLINE_ORT_LIBRARY/)
  await writeFile(file, 'no library')
  expect(open).toThrow(/ONNX Runtime cannot be loaded from .*libonnxruntime\.so/)
})

test('a device whose provider is not installed is refused with the provider’s name', async () => {
  for (const device of ['cuda', 'tensorrt'] as const) {
    const executor = opened(new OrtCapiExecutor({ device }))
    await expect(executor.load(plan)).rejects.toMatchObject({
      code: 'EXECUTOR_FAILED',
      message: expect.stringMatching(/libonnxruntime_providers/) as string
    })
  }
})
