import { readdirSync, readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { expectedDepths } from '../../../../src/inference/executors/fake/fake-depth.ts'
import { ExecutorSide, SupervisorSide } from '../../../../src/inference/executors/process/frame-transport.ts'
import type { TransportedRow } from '../../../../src/inference/executors/process/frame-transport.ts'
import { ProcessExecutor } from '../../../../src/inference/executors/process/process.ts'
import { SharedMemory } from '../../../../src/inference/executors/process/shared-memory.ts'
import { noWeights, smallPlan } from '../../../contract/plans.ts'
import { silent } from '../../fake-engine.ts'
import { noise } from '../../frames.ts'

const plan = smallPlan(noWeights)
const pixels = plan.width * plan.height

/** Both sides in this process, on the same memory. */
function sidesOver(bytes: number): {
  memory: SharedMemory
  supervisor: SupervisorSide
  executor: ExecutorSide
} {
  const memory = SharedMemory.create(bytes)!
  onTestFinished(() => memory.close())
  return { memory, supervisor: new SupervisorSide(memory), executor: new ExecutorSide(memory) }
}

/** Depth whose values tell which frame it is of. */
function depthOf(frame: Uint8Array): Float32Array {
  return new Float32Array(pixels).fill(frame[0]! + frame.length)
}

function answer(executor: ExecutorSide, transported: readonly TransportedRow[]) {
  return transported.map((transported) =>
    executor.put({ depth: depthOf(executor.frame(transported)!) }, transported)
  )
}

const frames = [1, 2, 3].map((seed) => noise(seed, plan))

test('frames and depth lie in the memory, and no map is overwritten by a later one', async () => {
  const { supervisor, executor } = sidesOver(2 ** 20)
  const seen: TransportedRow[] = []
  const send = () =>
    supervisor.transport(frames, pixels, async (transported) => {
      seen.push(...transported)
      return answer(executor, transported)
    })
  const first = await send()
  await send()
  expect(first).toEqual(frames.map((frame) => ({ depth: depthOf(frame) })))
  expect(seen.every(({ frame, depthAt }) => !(frame instanceof Uint8Array) && depthAt !== null)).toBe(true)
  expect(seen.slice(3)).toEqual(seen.slice(0, 3))
})

test('depth that was put where it is wanted is not put there again', async () => {
  const { supervisor, executor } = sidesOver(2 ** 20)
  const results = await supervisor.transport(frames, pixels, async (transported) =>
    transported.map((transported) => {
      const depth = executor.depthTarget(transported)!
      depth.fill(executor.frame(transported)![0]!)
      return executor.put({ depth }, transported)
    })
  )
  expect(results.map((result) => result!.depth[7])).toEqual(frames.map((frame) => frame[0]))
})

test('what the memory has no room for goes in the message', async () => {
  const room = frames[0]!.byteLength + pixels * 4
  const { supervisor, executor } = sidesOver(room + 64)
  const kinds: boolean[] = []
  const results = await supervisor.transport(frames, pixels, async (transported) => {
    kinds.push(...transported.map(({ frame }) => frame instanceof Uint8Array))
    return answer(executor, transported)
  })
  expect(kinds).toEqual([false, true, true])
  expect(results).toEqual(frames.map((frame) => ({ depth: depthOf(frame) })))
})

test('a call that fails gives its places back', async () => {
  const { supervisor } = sidesOver(2 ** 17)
  for (let time = 0; time < 50; time++)
    await expect(supervisor.transport(frames, pixels, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no'
    )
  await supervisor.transport(frames, pixels, async (transported) => {
    expect(transported.every(({ depthAt }) => depthAt !== null)).toBe(true)
    return transported.map(() => null)
  })
})

test('a row without a frame or without depth has neither', async () => {
  const { supervisor, executor } = sidesOver(2 ** 20)
  const results = await supervisor.transport([null], pixels, async ([transported]) => [
    executor.frame(transported!) ? { depth: new Float32Array(1) } : null
  ])
  expect(results).toEqual([null])
})

test.each([true, false])('a process gives the same depth, memory shared: %s', async (sharesMemory) => {
  const executor = await ProcessExecutor.start({ spec: { kind: 'fake' }, log: silent, sharesMemory })
  onTestFinished(() => executor.close())
  const model = await executor.load(plan)
  const states = await Promise.all([executor.newState(model), executor.newState(model)])
  const depths: Float32Array[][] = [[], []]
  for (const [framesSeen, frame] of frames.entries()) {
    const rows = states.map((state) => ({ state, framesSeen, frame }))
    for (const [row, { depth }] of (await executor.step(model, rows)).entries()) depths[row]!.push(depth)
  }
  const expected = expectedDepths(frames, plan)
  expect(depths).toEqual([expected, expected])
})

test('where there is not so much memory there is none, and nothing stays open', () => {
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  // More than addresses have bits for.
  expect(SharedMemory.create(2 ** 52)).toBeNull()
  expect(open()).toBe(before)
})

/** Mappings of such memory in this process. */
function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8').split('memfd:leadline-frames').length - 1
}

test('a process that ended leaves no memory behind, however it ended', async () => {
  const before = mappings()
  const executor = await ProcessExecutor.start({ spec: { kind: 'fake' }, log: silent })
  expect(mappings()).toBe(before + 1)
  await executor.load(plan)
  const lost = new Promise((resolve) => executor.onLoss(resolve))
  process.kill(executor.pid!, 'SIGKILL')
  await lost
  await executor.load(plan)
  await expect.poll(mappings).toBe(before + 1)
  await executor.close()
  await expect.poll(mappings).toBe(before)
})
