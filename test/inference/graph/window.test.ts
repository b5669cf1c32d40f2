import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HIDDEN, windowFeed } from '../../../src/inference/graph/window.ts'

/** Frames that a step sees with their positions, read off a ring that was written as windowFeed says. */
function visibleFrames(framesSeen: number, cacheSize: number, attendSelf: boolean): [number, number][] {
  const ring: number[] = []
  for (let t = 0; t <= framesSeen; t++) ring[windowFeed(t, cacheSize, attendSelf).writeSlot] = t
  const { mask, positions } = windowFeed(framesSeen, cacheSize, attendSelf)
  return [...mask]
    .map((value, slot): [number, number] | null => (value === 0 ? [ring[slot]!, positions[slot]!] : null))
    .filter((pair) => pair !== null)
    .sort(([a], [b]) => a - b)
}

const sizes = fc.integer({ min: 2, max: 32 })

test('a step sees the L-1 frames before it, oldest at position 0', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), sizes, (framesSeen, cacheSize) => {
      const oldest = Math.max(0, framesSeen - cacheSize + 1)
      const expected = Array.from({ length: framesSeen - oldest }, (_, place) => [oldest + place, place])
      expect(visibleFrames(framesSeen, cacheSize, false)).toEqual(expected)
    })
  )
})

test('with attendSelf the frame sees itself, after its past', () => {
  expect(visibleFrames(5, 4, true)).toEqual([
    [2, 0],
    [3, 1],
    [4, 2],
    [5, 3]
  ])
})

test('the first frame sees only itself, at position 0', () => {
  expect(visibleFrames(0, 4, false)).toEqual([[0, 0]])
  expect(windowFeed(0, 4, false).queryPosition).toBe(0)
})

test('the query stands behind what is seen, at most at the last place', () => {
  expect([0, 1, 2, 3, 4, 50].map((framesSeen) => windowFeed(framesSeen, 4, false).queryPosition)).toEqual([
    0, 1, 2, 3, 3, 3
  ])
})

test('the slot that is written holds nothing that the step still sees', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), sizes, (framesSeen, cacheSize) => {
      const { mask, writeSlot } = windowFeed(framesSeen, cacheSize, false)
      expect(mask[writeSlot]).toBe(Math.fround(HIDDEN))
    })
  )
})
