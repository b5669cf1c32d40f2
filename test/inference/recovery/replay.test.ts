import { expect, onTestFinished, test } from 'vitest'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node/ort-node.ts'
import type { Executor, ModelHandle, Plan } from '../../../src/inference/executor.ts'
import { replayBytes, ReplayFrames, replayShape } from '../../../src/inference/recovery/replay.ts'
import type { KeptFrame } from '../../../src/inference/recovery/replay.ts'
import { smallPlan } from '../../contract/plans.ts'
import { writeTinyModel } from '../../contract/tiny-model.ts'
import { blobs } from '../pictures.ts'

const size = { width: 42, height: 28 }
const prepared = (rgb: Uint8Array): KeptFrame => ({
  seq: 0,
  prepared: { rgb, size, source: size, payloadDigest: '' }
})
const numbered = (number: number) => prepared(Uint8Array.of(number))

function keptOf(shape: ConstructorParameters<typeof ReplayFrames>[0], numFrames: number): number[] {
  const frames = new ReplayFrames(shape)
  for (let number = 1; number <= numFrames; number++) frames.add(numbered(number))
  return frames.list().map(({ prepared: { rgb } }) => rgb[0]!)
}

test('three windows are kept of ovda, the first frame and 41 of vda-stream, the window of vda-window', () => {
  expect(replayShape({ mode: 'ovda', cacheSize: 16 })).toEqual({ keepsFirst: false, recent: 45 })
  expect(replayShape({ mode: 'vda-stream', cacheSize: 16 })).toEqual({ keepsFirst: true, recent: 41 })
  expect(replayShape({ mode: 'vda-window', cacheSize: 16 })).toEqual({ keepsFirst: false, recent: 32 })
  expect(replayShape({ mode: 'single', cacheSize: 16 })).toEqual({ keepsFirst: false, recent: 0 })
})

test('frames are kept in order, and the one in its step beside them', () => {
  const shape = { keepsFirst: false, recent: 3 }
  expect(keptOf(shape, 2)).toEqual([1, 2])
  expect(keptOf(shape, 9)).toEqual([6, 7, 8, 9])
  expect(keptOf({ ...shape, keepsFirst: true }, 2)).toEqual([1, 2])
  expect(keptOf({ ...shape, keepsFirst: true }, 9)).toEqual([1, 6, 7, 8, 9])
  expect(keptOf({ keepsFirst: false, recent: 0 }, 9)).toEqual([])
})

test('the last frame can be taken back, be it the first one too', () => {
  const frames = new ReplayFrames({ keepsFirst: true, recent: 3 })
  frames.add(numbered(1))
  frames.removeLast()
  frames.add(numbered(2))
  expect(frames.list().map(({ prepared: { rgb } }) => rgb[0])).toEqual([2])
})

test('the bytes are those of the frames that are kept at most', () => {
  const rule = { maxArea: 1000 }
  expect(replayBytes({ mode: 'ovda', cacheSize: 8 }, rule)).toBe((21 + 1) * 3000)
  expect(replayBytes({ mode: 'vda-stream', cacheSize: 8 }, rule)).toBe((1 + 41 + 1) * 3000)
  expect(replayBytes({ mode: 'single', cacheSize: 8 }, rule)).toBe(0)
})

/** Frames of a video that moves: each is blended out of two pictures. */
const video = Array.from({ length: 40 }, (_, t) => {
  const [a, b] = [blobs(1, size), blobs(2, size)]
  const share = (1 + Math.sin(t / 3)) / 2
  return a.map((value, i) => value * share + b[i]! * (1 - share))
})

async function lastDepth(executor: Executor, model: ModelHandle, frames: readonly Uint8Array[]) {
  const state = await executor.newState(model)
  let depth = new Float32Array()
  for (const [framesSeen, frame] of frames.entries())
    depth = (await executor.step(model, [{ state, framesSeen, frame }]))[0]!.depth as typeof depth
  await executor.free(state)
  return depth
}

/** Mean difference in parts of the range. */
function deviation(depth: Float32Array, from: Float32Array): number {
  const range = Math.max(...from) - Math.min(...from)
  return depth.reduce((sum, value, i) => sum + Math.abs(value - from[i]!), 0) / depth.length / range
}

async function deviations(mode: Plan['mode']) {
  const tiny = await writeTinyModel()
  onTestFinished(() => tiny.remove())
  const executor = new OrtNodeExecutor({ threads: 1 })
  onTestFinished(() => executor.close())
  const plan = { ...smallPlan(tiny), ...size, mode }
  const model = await executor.load(plan)
  const frames = new ReplayFrames(replayShape(plan))
  for (const rgb of video.slice(0, -1)) frames.add(prepared(rgb))
  const kept = frames.list().map((frame) => frame.prepared.rgb)
  const whole = await lastDepth(executor, model, video)
  const rebuilt = await lastDepth(executor, model, [...kept, video.at(-1)!])
  const cold = await lastDepth(executor, model, [video.at(-1)!])
  return { numKept: kept.length, rebuilt: deviation(rebuilt, whole), cold: deviation(cold, whole) }
}

test('on a real network a cache made anew from three windows is close to the lost one', async () => {
  const { numKept, rebuilt, cold } = await deviations('ovda')
  expect(numKept).toBe(10)
  expect(rebuilt).toBeGreaterThan(0)
  expect(rebuilt).toBeLessThan(cold / 10)
})
