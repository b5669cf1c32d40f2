import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  anchoredFeed,
  HIDDEN,
  stepFeed,
  windowFeed,
  windowShape
} from '../../../src/inference/latents/window.ts'
import type { WindowFeed } from '../../../src/inference/latents/window.ts'

/** Frames that a step sees with their positions, read off a ring that was written as the feeds say. */
function seenFrames(framesSeen: number, feedOf: (framesSeen: number) => WindowFeed): [number, number][] {
  const ring: number[] = []
  for (let t = 0; t < framesSeen; t++) {
    const { writeSlot, fillsRing, mask } = feedOf(t)
    ring[writeSlot] = t
    if (fillsRing) for (const slot of mask.keys()) ring[slot] = t
  }
  const { mask, positions, writeSlot } = feedOf(framesSeen)
  ring[writeSlot] = framesSeen
  return [...mask]
    .map((value, slot): [number, number] | null => (value === 0 ? [ring[slot]!, positions[slot]!] : null))
    .filter((pair) => pair !== null)
    .sort(([, a], [, b]) => a - b)
}

function visibleFrames(framesSeen: number, cacheSize: number, attendSelf: boolean): [number, number][] {
  return seenFrames(framesSeen, (t) => windowFeed(t, cacheSize, attendSelf))
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

test('vda-stream sees the first frame, frame t-41, the last 29 and itself, at places 0 to 31', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (t) => {
      const frames = [0, t - 41, ...Array.from({ length: 30 }, (_, i) => t - 29 + i)]
      const expected = frames.map((frame, place) => [Math.max(0, frame), place])
      expect(seenFrames(t, anchoredFeed)).toEqual(expected)
      expect(anchoredFeed(t).queryPosition).toBe(31)
    })
  )
})

test('the first frame of vda-stream sees only itself, and fills the ring', () => {
  expect(seenFrames(0, anchoredFeed)).toEqual([[0, 0]])
  expect(anchoredFeed(0)).toMatchObject({ queryPosition: 0, fillsRing: true })
})

test('a step takes the window of its mode', () => {
  const plan = { cacheSize: 4, attendSelf: true }
  expect(stepFeed({ mode: 'ovda', ...plan }, 9)).toEqual(windowFeed(9, 4, true))
  expect(stepFeed({ mode: 'vda-stream', ...plan }, 9)).toEqual(anchoredFeed(9))
  expect(anchoredFeed(9).mask).toHaveLength(windowShape('vda-stream', 4).slots)
})
