import { expect, test } from 'vitest'
import { LiveClock } from '../../../src/video/live/live-clock.ts'

test('times begin at zero and go on as the source says, whatever the wall clock does', () => {
  const clock = new LiveClock()
  const times = [900_000, 940_000, 980_000].map((stampUs, i) => clock.next(stampUs, 5000 + i * 777))
  expect(times).toEqual([0, 40_000, 80_000])
})

test('over a new connection the wall clock says how long the gap was', () => {
  const clock = new LiveClock()
  clock.next(0, 1000)
  clock.next(40_000, 1040)
  clock.reconnect()
  expect(clock.next(7_000_000, 4000)).toBe(3_000_000)
  expect(clock.next(7_040_000, 4100)).toBe(3_040_000)
})

test('a frame without a time has that of its arrival, and none is earlier than the one before', () => {
  const clock = new LiveClock()
  expect(clock.next(null, 1000)).toBe(0)
  expect(clock.next(null, 1033)).toBe(33_000)
  expect(clock.next(null, 1033)).toBe(33_100)
  expect(clock.next(10, 1000)).toBe(33_200)
})
