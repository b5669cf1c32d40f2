import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { largestBatch } from '../../../src/inference/batch-sizes.ts'
import { beat, nextBeatMs, waitForMore } from '../../../src/inference/scheduling/batch-wait.ts'
import type { Rhythm, WaitOptions } from '../../../src/inference/scheduling/batch-wait.ts'

/** A GPU: a step of twice the rows takes a little longer. */
const stepMs = (rows: number) => 10 + rows

const options: WaitOptions = {
  nowMs: 1000,
  ready: 1,
  expectedMs: [1004],
  deadlineMs: 1033,
  heldSinceMs: 1000,
  stepMs,
  maxBatch: 4
}

describe('a step', () => {
  test.each<[string, Partial<WaitOptions>, number]>([
    ['waits for a row that is due within the step', {}, 4],
    ['does not wait where batches are of one row', { maxBatch: 1 }, 0],
    ['does not wait when no other row is due', { expectedMs: [] }, 0],
    ['does not wait for a row that is late: it may never come', { expectedMs: [999] }, 0],
    ['does not wait for a row that is due later than the step takes', { expectedMs: [1011.5] }, 0],
    ['does not wait longer than the step takes in all', { heldSinceMs: 992 }, 0],
    ['does not wait before a step was measured', { stepMs: () => null }, 0],
    ['does not wait past the next frame of a row that is ready', { deadlineMs: 1010 }, 0],
    ['waits where the next frame of a row is not known', { deadlineMs: null }, 4],
    ['does not wait when a large batch costs as much as its rows', { stepMs: (rows) => 10 * rows }, 0],
    ['does not wait for a size of batch that does not fill', { ready: 2 }, 0],
    ['waits until the last row that fills the next size', { ready: 2, expectedMs: [1006, 1003] }, 6],
    ['waits for the one row that three lack', { ready: 3 }, 4],
    ['does not wait when the largest batch is full', { ready: 4, expectedMs: [1001, 1002, 1003, 1004] }, 0],
    ['does not wait when nothing is ready', { ready: 0 }, 0]
  ])('%s', (_, changes, expected) => {
    expect(waitForMore({ ...options, ...changes })).toBe(expected)
  })

  test('is never held longer than such a step takes, nor past a deadline, whatever is expected', () => {
    const moments = fc.array(fc.double({ min: 990, max: 1060, noNaN: true }), { maxLength: 8 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        moments,
        fc.integer({ min: 1, max: 16 }),
        fc.double({ min: 1000, max: 1060, noNaN: true }),
        fc.double({ min: 980, max: 1000, noNaN: true }),
        (ready, expectedMs, maxBatch, deadlineMs, heldSinceMs) => {
          const held = { ...options, ready, expectedMs, maxBatch, deadlineMs, heldSinceMs }
          const waitMs = waitForMore(held)
          expect(waitMs).toBeGreaterThanOrEqual(0)
          if (waitMs === 0) return
          const longestMs = stepMs(largestBatch(ready, maxBatch))
          expect(1000 + waitMs - heldSinceMs).toBeLessThan(longestMs)
          expect(1000 + waitMs + longestMs).toBeLessThanOrEqual(deadlineMs)
        }
      )
    )
  })
})

describe('the rhythm of a stream', () => {
  const after = (...moments: number[]) =>
    moments.reduce<Rhythm | null>((rhythm, ms) => beat(rhythm, ms), null)!

  test('is unknown after one frame and known after two', () => {
    expect(nextBeatMs(after(100))).toBeNull()
    expect(nextBeatMs(after(100, 133))).toBe(166)
  })

  test('follows a new rate, and forgets no rate over a pause', () => {
    const slower = after(0, 33, 66, ...Array.from({ length: 20 }, (_, i) => 66 + 100 * (i + 1)))
    expect(nextBeatMs(slower)! - slower.lastMs).toBeGreaterThan(99)
    expect(nextBeatMs(after(0, 40, 80, 60_000))).toBe(60_040)
  })
})
