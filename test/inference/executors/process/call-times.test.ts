import { expect, test } from 'vitest'
import { CallTimes } from '../../../../src/inference/executors/process/call-times.ts'
import type { Request } from '../../../../src/inference/executors/process/child-messages.ts'
import { noWeights, smallPlan } from '../../../contract/plans.ts'

const load: Request = { id: 1, operation: 'load', isBeside: false, args: [smallPlan(noWeights)] }
const row = { state: 1, framesSeen: 0, frame: new Uint8Array(0), depthAt: null }
const step = (model: number, rows = 1): Request => ({
  ...{ id: 2, operation: 'step', isBeside: false },
  args: [model, Array.from({ length: rows }, () => row)]
})

test('a call that was never made may take as long as its model took to load, and at least five seconds', () => {
  const times = new CallTimes({ isOnDevice: false })
  expect(times.usual(step(7))).toEqual({ wallMs: 5_000, cpuMs: 5_000 })
  times.note(load, 7, { wallMs: 9_000, cpuMs: 200 })
  expect(times.usual(step(7))).toEqual({ wallMs: 9_000, cpuMs: 5_000 })
  expect(times.usual(step(8))).toEqual({ wallMs: 5_000, cpuMs: 5_000 })
})

test('batches of another size are calls of another kind', () => {
  const times = new CallTimes({ isOnDevice: false })
  times.note(step(7), [], { wallMs: 20, cpuMs: 15 })
  expect(times.usual(step(7))).toEqual({ wallMs: 20, cpuMs: 15 })
  expect(times.usual(step(7, 2)).wallMs).toBe(5_000)
})

test('one slow call counts at once and is forgotten after some tens', () => {
  const times = new CallTimes({ isOnDevice: false })
  times.note(step(7), [], { wallMs: 20, cpuMs: 15 })
  times.note(step(7), [], { wallMs: 8_000, cpuMs: 15 })
  expect(times.usual(step(7)).wallMs).toBe(8_000)
  for (let i = 0; i < 80; i++) times.note(step(7), [], { wallMs: 20, cpuMs: 15 })
  expect(times.usual(step(7))).toEqual({ wallMs: 20, cpuMs: 15 })
})

test('a model that is unloaded is forgotten', () => {
  const times = new CallTimes({ isOnDevice: false })
  times.note(step(7), [], { wallMs: 20, cpuMs: 15 })
  times.note({ id: 3, operation: 'unload', isBeside: false, args: [7] }, undefined, { wallMs: 1, cpuMs: 1 })
  expect(times.usual(step(7)).wallMs).toBe(5_000)
})

test('on a device, which others may hold, no call is held to less than nine seconds', () => {
  const times = new CallTimes({ isOnDevice: true })
  times.note(step(7), [], { wallMs: 6, cpuMs: 6 })
  expect(times.usual(step(7))).toEqual({ wallMs: 9_000, cpuMs: 6 })
  times.note(step(7), [], { wallMs: 12_000, cpuMs: 6 })
  expect(times.usual(step(7)).wallMs).toBe(12_000)
})
