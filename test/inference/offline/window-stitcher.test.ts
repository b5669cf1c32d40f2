import { expect, test } from 'vitest'
import { randomNumbers } from '../../../bench/random-weights.ts'
import { WindowStitcher } from '../../../src/inference/offline/window-stitcher.ts'
import { stitch } from './reference.ts'

const next = randomNumbers(5)
const randomMap = () => Float32Array.from({ length: 12 }, () => 1 + next())
const randomWindow = () => Array.from({ length: 32 }, randomMap)

/** Final maps, and after which place of which window each was known. */
function stitched(windows: Float32Array[][], isMetric = false) {
  const stitcher = new WindowStitcher({ isMetric })
  const maps: Float32Array[] = []
  const counts: number[] = []
  for (const window of windows) {
    for (const [place, map] of window.entries()) {
      const known = stitcher.push(place, map)
      if (known) maps.push(known)
    }
    counts.push(maps.length)
  }
  return { maps: [...maps, ...stitcher.rest()], counts }
}

test('windows are joined as the method says', () => {
  const windows = [randomWindow(), randomWindow(), randomWindow()]
  const { maps, counts } = stitched(windows)
  const expected = stitch(windows, 76)
  expect(maps).toHaveLength(76)
  for (const [frame, map] of maps.entries())
    for (const [i, value] of map.entries()) expect(value).toBeCloseTo(expected[frame]![i]!, 4)
  expect(counts).toEqual([24, 46, 68])
})

test('a window that differs from the one before in scale and shift alone continues it', () => {
  const frames = Array.from({ length: 54 }, randomMap)
  const keyframes = [0, 12, 24, 25, 26, 27, 28, 29, 30, 31]
  const second = [...keyframes, ...Array.from({ length: 22 }, (_, i) => 32 + i)]
  const scaled = second.map((frame) => frames[frame]!.map((value) => (value - 0.3) / 2))
  const { maps } = stitched([frames.slice(0, 32), scaled])
  for (const [frame, map] of maps.entries())
    for (const [i, value] of map.entries()) expect(value).toBeCloseTo(frames[frame]![i]!, 4)
})

test('metric depth is blended and never rescaled', () => {
  const windows = [randomWindow(), randomWindow()]
  const { maps } = stitched(windows, true)
  expect(maps[24]).toEqual(windows[0]![24])
  expect(maps[31]).toEqual(windows[1]![9])
  expect(maps[40]).toEqual(windows[1]![18])
})

test('flat depth is left as it is', () => {
  const flat = () => Array.from({ length: 32 }, () => new Float32Array(12).fill(2))
  const { maps } = stitched([flat(), flat()])
  for (const map of maps) expect([...map]).toEqual(new Array(12).fill(2))
})

test('depth is never below zero', () => {
  const [first, second] = [randomWindow(), randomWindow()]
  // Aligned as it is: the frames that align it are those of the first window.
  second[0] = first[0]!
  second[1] = first[12]!
  second[15] = second[15]!.map((value) => value - 1000)
  const { maps } = stitched([first, second])
  expect(Math.min(...maps.flatMap((map) => [...map]))).toBe(0)
})
