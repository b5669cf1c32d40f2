import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LatestSlot } from '../src/latest-slot.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function makeSlot() {
  const room = { is: true }
  const passed: number[] = []
  const superseded: number[] = []
  const slot = new LatestSlot<number>({
    hasRoom: () => room.is,
    pass: (item) => passed.push(item),
    supersede: (item) => superseded.push(item),
    lookMs: 10
  })
  return { room, passed, superseded, slot }
}

test('with room everything is passed on at once', () => {
  const { slot, passed, superseded } = makeSlot()
  for (let i = 0; i < 3; i++) slot.put(i)
  expect([passed, superseded]).toEqual([[0, 1, 2], []])
})

test('without room the newest waits until there is some, and those before it are superseded', () => {
  const { room, slot, passed, superseded } = makeSlot()
  room.is = false
  for (let i = 0; i < 3; i++) slot.put(i)
  vi.advanceTimersByTime(100)
  expect([passed, superseded]).toEqual([[], [0, 1]])
  room.is = true
  vi.advanceTimersByTime(10)
  expect([passed, superseded]).toEqual([[2], [0, 1]])
  expect(vi.getTimerCount()).toBe(0)
})

test('what must be followed goes without room, and what is forgotten never goes', () => {
  const { room, slot, passed } = makeSlot()
  room.is = false
  slot.put(0)
  slot.flush()
  slot.put(1)
  slot.stop()
  room.is = true
  slot.look()
  slot.flush()
  expect([passed, vi.getTimerCount()]).toEqual([[0], 0])
})
