import { expect, test } from 'vitest'
import { bundled } from '../../../bench/bundled.ts'
import { latentShapes } from '../../../src/inference/latents/latents.ts'
import { windowValues } from '../../../src/inference/latents/window-values.ts'
import { tinyArchitecture } from '../tiny-architecture.ts'

test('a frame leaves two latents at each motion module', () => {
  const pair = (rows: number, channels: number) => [
    { rows, channels },
    { rows, channels }
  ]
  expect(latentShapes(tinyArchitecture, 42, 70)).toEqual([
    ...pair(15, 32),
    // Half a grid of 3x5, rounded up.
    ...pair(6, 96),
    ...pair(15, 32),
    ...pair(60, 32)
  ])
})

test('on a convolutional encoder the last motion module has the finer channels: 103,680 numbers a frame at 160x288', () => {
  const shapes = latentShapes(bundled.architecture, 160, 288)
  expect(shapes.at(-1)).toEqual({ rows: 720, channels: 32 })
  expect(shapes.reduce((sum, { rows, channels }) => sum + rows * channels, 0)).toBe(103_680)
})

test('a window keeps the finer maps of a convolutional encoder at their own strides', () => {
  const kept = windowValues(bundled.architecture, 160, 288).filter(({ lastUsed }) => lastUsed === 6)
  expect(kept.map(({ name, dims }) => [name, dims])).toEqual(
    expect.arrayContaining([
      ['map_0', [1, 32, 40, 72]],
      ['map_1', [1, 32, 20, 36]],
      ['stem', [1, 24, 80, 144]]
    ])
  )
})
