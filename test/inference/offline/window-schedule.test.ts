import { expect, test } from 'vitest'
import { windowStages } from '../../../src/inference/latents/window-values.ts'
import { WindowSchedule } from '../../../src/inference/offline/window-schedule.ts'
import { windowsOf } from './reference.ts'

/** Frame numbers by place of the next window, whose new frames are numbered from `next` on; null when the order is wrong. */
function runWindow(schedule: WindowSchedule, slots: number[], next: number): number[] {
  while (schedule.wantsFrame) slots[schedule.take().slot] = next++
  const seen: number[][] = []
  for (let stage = 1; stage < windowStages; stage++) {
    const byPlace: number[] = []
    for (let place = 0; place < 32; place++) {
      expect(schedule.isBegun).toBe(true)
      const slice = schedule.take()
      expect([slice.stage, slice.place, slice.places[slice.slot]]).toEqual([stage, place, place])
      byPlace.push(slots[slice.slot]!)
    }
    seen.push(byPlace)
  }
  expect(new Set(seen.map(String)).size).toBe(1)
  return seen[0]!
}

test('windows take in 32 frames, then 22, and take over ten of the one before', () => {
  const schedule = new WindowSchedule()
  const slots: number[] = []
  const expected = windowsOf(32 + 3 * 22)
  expect(expected).toHaveLength(4)
  for (const [index, window] of expected.entries()) {
    expect(schedule.isBegun).toBe(false)
    expect(runWindow(schedule, slots, index === 0 ? 0 : 10 + 22 * index)).toEqual(window)
  }
  expect(new Set(slots).size).toBe(32)
})

test('a window has begun once it has taken in a frame', () => {
  const schedule = new WindowSchedule()
  expect(schedule.isBegun).toBe(false)
  schedule.take()
  expect(schedule.isBegun).toBe(true)
  expect(schedule.wantsFrame).toBe(true)
})
