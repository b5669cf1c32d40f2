import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromPlanes, toPlanes } from '../../src/wire/u16-planes.ts'

test('every map comes back as it was, whatever its shape', () => {
  const map = fc
    .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
    .chain(({ width, height }) =>
      fc.record({
        width: fc.constant(width),
        stored: fc.uint16Array({ minLength: width * height, maxLength: width * height })
      })
    )
  fc.assert(
    fc.property(map, ({ width, stored }) => {
      expect(fromPlanes(toPlanes(stored, width), width)).toEqual(stored)
    })
  )
})

test('a slope is nothing but zeros behind its first row and column', () => {
  const stored = Uint16Array.from({ length: 12 }, (_, i) => 7 * (i % 4) + 300 * Math.floor(i / 4))
  expect([...toPlanes(stored, 4)]).toEqual([
    ...[0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0],
    ...[0, 14, 14, 14, 88, 0, 0, 0, 88, 0, 0, 0]
  ])
})
