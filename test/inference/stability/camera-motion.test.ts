import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateMotion, follow } from '../../../src/inference/stability/camera-motion.ts'
import { frameGrid } from '../../../src/inference/stability/frame-grid.ts'
import { blobs, relit } from '../pictures.ts'
import type { View } from '../pictures.ts'

const size = { width: 140, height: 98 }
const gridOf = (view: View = {}) => frameGrid(blobs(1, size, view), size)

test('a picture that stays has no motion', () => {
  const { right, down, zoom, turn, certainty } = estimateMotion(gridOf(), gridOf())
  for (const value of [right, down, zoom, turn]) expect(Math.abs(value)).toBeLessThan(1e-6)
  expect(certainty).toBeGreaterThan(0.9)
})

test('shifts are found to a tenth of a cell and zoom to two thousandths, whatever the light', () => {
  const shift = fc.double({ min: -9, max: 9, noNaN: true })
  const before = gridOf()
  fc.assert(
    fc.property(shift, shift, fc.double({ min: 0.97, max: 1.03, noNaN: true }), (right, down, zoom) => {
      const rgb = relit(blobs(1, size, { right, down, zoom }), (value) => value + 9)
      const found = estimateMotion(before, frameGrid(rgb, size))
      expect(Math.abs(found.right - right / 3)).toBeLessThan(0.1)
      expect(Math.abs(found.down - down / 3)).toBeLessThan(0.1)
      expect(Math.abs(found.zoom - (1 / zoom - 1))).toBeLessThan(0.002)
    }),
    { numRuns: 25 }
  )
})

test('a picture without texture tells nothing, and says so', () => {
  const grey = frameGrid(new Uint8Array(size.width * size.height * 3).fill(90), size)
  const motion = estimateMotion(grey, grey)
  expect(motion).toMatchObject({ right: 0, down: 0, zoom: 0, turn: 0, certainty: 0 })
})

test('values are followed to where they are now, and unknown where nothing was in sight', () => {
  const values = Float32Array.of(1, 2, 3, 4)
  const motion = { right: 1, down: 0, zoom: 0, turn: 0, certainty: 1 }
  expect([...follow(values, { width: 4, height: 1 }, motion)]).toEqual([2, 3, 4, NaN])
  const half = follow(values, { width: 4, height: 1 }, { ...motion, right: -0.5 })
  expect([...half]).toEqual([NaN, 1.5, 2.5, 3.5])
})
