import fc from 'fast-check'
import { expect, test } from 'vitest'
import { along, composed, identity } from '../../src/maps/affine-map.ts'
import type { AffineMap } from '../../src/maps/affine-map.ts'

const number = fc.double({ min: -1000, max: 1000, noNaN: true })
const affine = fc
  .tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), number, number, number)
  .map(([scale, offset, a, b]): AffineMap => ({
    scale,
    offset,
    floor: Math.min(a, b),
    limit: Math.max(a, b)
  }))

test('a value is scaled, moved and kept within the ends', () => {
  const clamped = { scale: 2, offset: 1, floor: 0, limit: 10 }
  expect([-3, 1, 7].map((value) => along(clamped, value))).toEqual([0, 3, 10])
  expect(along(identity, -7.5)).toBe(-7.5)
})

test('two lines composed give what one after the other gives', () => {
  fc.assert(
    fc.property(affine, affine, number, (first, second, value) => {
      const both = along(composed(first, second), value)
      expect(both).toBeCloseTo(along(second, along(first, value)), 4)
    })
  )
  fc.assert(
    fc.property(affine, number, (one, value) => {
      expect(along(composed(one, identity), value)).toBeCloseTo(along(one, value), 9)
      expect(along(composed(identity, one), value)).toBeCloseTo(along(one, value), 9)
    })
  )
})
