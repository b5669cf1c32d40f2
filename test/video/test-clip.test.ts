import { expect, test } from 'vitest'
import { generateClip } from '../../src/video/index.ts'

const options = { width: 64, height: 36, frames: 5, fps: 12 }

test('the clip is the same every time', () => {
  const [first, second] = [[...generateClip(options)], [...generateClip(options)]]
  expect(second).toEqual(first)
  expect(first).toHaveLength(5)
})

test('the picture moves a little from frame to frame, and no frame repeats', () => {
  const frames = [...generateClip(options)]
  for (const [i, frame] of frames.slice(1).entries()) {
    const before = frames[i]?.rgb ?? new Uint8Array()
    const change =
      frame.rgb.reduce((sum, value, at) => sum + Math.abs(value - (before[at] ?? 0)), 0) / frame.rgb.length
    expect(change).toBeGreaterThan(0.2)
    expect(change).toBeLessThan(25)
  }
})

test('every pixel has a depth inside the room', () => {
  for (const { depth } of generateClip({ ...options, frames: 96, fps: 24 })) {
    expect(Math.min(...depth)).toBeGreaterThan(0.3)
    expect(Math.max(...depth)).toBeLessThan(12)
  }
})

test('a smaller picture shows the same scene: depth agrees where the pixel centres do', () => {
  const [large] = generateClip({ width: 192, height: 108, frames: 1, fps: 24 })
  const [small] = generateClip({ width: 64, height: 36, frames: 1, fps: 24 })
  const center = (x: number, y: number) => large?.depth[(3 * y + 1) * 192 + 3 * x + 1] ?? NaN
  for (let y = 0; y < 36; y++)
    for (let x = 0; x < 64; x++) expect(small?.depth[y * 64 + x]).toBeCloseTo(center(x, y), 4)
})
