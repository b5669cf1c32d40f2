import { expect, test } from 'vitest'
import type { ShownDepth } from '../../src/client/index.ts'
import { unproject } from '../../src/client/index.ts'
import type { Quantity } from '../../src/wire/frame.ts'

/** Four pixels in two rows, from top left. */
function depthOf(values: number[], quantity: Quantity): ShownDepth {
  const header = { width: 2, height: 2, rangeMin: 2, rangeMax: 6, quantity }
  return { header, values: () => Float32Array.from(values) }
}

const rows = (points: Float32Array) =>
  Array.from({ length: points.length / 3 }, (_, i) =>
    [...points.subarray(3 * i, 3 * i + 3)].map((x) => Math.round(x * 1000) / 1000)
  )

test('metres: right is +x, up is +y, and what lies before the camera has -z', () => {
  // At 90 degrees the picture at distance 1 reaches from -1 to 1: its pixels lie at a half.
  const points = unproject(depthOf([1, 2, 4, 8], 'metric-depth'), { fovDegrees: 90 })
  expect(rows(points)).toEqual([
    [-0.5, 0.5, -1],
    [1, 1, -2],
    [-2, -2, -4],
    [4, -4, -8]
  ])
})

test('relative depth: the greater value is nearer, inversely, and nothing leaves the two ends', () => {
  const points = unproject(depthOf([6, 2, 4, 100], 'relative-inverse-depth'), {
    ...{ fovDegrees: 90, distances: { near: 1, far: 4 } }
  })
  expect(rows(points).map(([, , z]) => z)).toEqual([-1, -4, -1.6, -1])
})

test('a flat map lies at its far end', () => {
  const flat = depthOf([3, 3, 3, 3], 'relative-inverse-depth')
  const points = unproject(flat, { ends: { near: 3, far: 3 } })
  expect(rows(points).map(([, , z]) => z)).toEqual([-4, -4, -4, -4])
})
