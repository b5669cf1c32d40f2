import fc from 'fast-check'
import { expect, test } from 'vitest'
import { depthOfCells, frameGrid } from '../../../src/inference/stability/frame-grid.ts'

test('a grid has the luma of each cell, and depth of the same cells', () => {
  const size = { width: 112, height: 56 }
  const rgb = new Uint8Array(size.width * size.height * 3)
  rgb.fill(255, 0, (rgb.length / 2) | 0)
  const grid = frameGrid(rgb, size)
  expect(grid).toMatchObject({ cell: 2, width: 56, height: 28 })
  expect(grid.luma[0]).toBeCloseTo(255, 3)
  expect(grid.luma.at(-1)).toBe(0)
  const depth = Float32Array.from({ length: size.width * size.height }, (_, i) => (i < 112 * 28 ? 3 : 7))
  const cells = depthOfCells(depth, size, grid)
  expect([cells[0], cells.at(-1)]).toEqual([3, 7])
})

test('frames of any size have a grid of finite luma', () => {
  const side = fc.integer({ min: 1, max: 90 })
  fc.assert(
    fc.property(side, side, fc.integer({ min: 0, max: 255 }), (width, height, value) => {
      const grid = frameGrid(new Uint8Array(width * height * 3).fill(value), { width, height })
      expect(grid.luma).toHaveLength(grid.width * grid.height)
      expect(grid.luma.every((luma) => Math.abs(luma - value) < 1e-3)).toBe(true)
    }),
    { numRuns: 50 }
  )
})
