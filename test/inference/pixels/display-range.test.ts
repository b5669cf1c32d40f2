import { expect, test } from 'vitest'
import { rangeOf, smoothRange } from '../../../src/inference/pixels/display-range.ts'

test('the first frame sets the range, later ones move it a little', () => {
  const first = smoothRange(null, { min: 1, max: 9 })
  expect(first).toEqual({ min: 1, max: 9 })
  const second = smoothRange(first, { min: 3, max: 29 })
  expect(second.min).toBeCloseTo(1.3, 10)
  expect(second.max).toBeCloseTo(12, 10)
})

test('a range that stays is reached', () => {
  let range = { min: 0, max: 100 }
  for (let frame = 0; frame < 90; frame++) range = smoothRange(range, { min: 5, max: 10 })
  expect(range.min).toBeCloseTo(5, 2)
  expect(range.max).toBeCloseTo(10, 2)
})

test.each([
  [[3, -1, 2], { min: -1, max: 3 }],
  [[3.4e38, 3.4e38, -3.4e38], { min: Math.fround(-3.4e38), max: Math.fround(3.4e38) }],
  [[1, NaN], null],
  [[1, Infinity], null],
  [[-Infinity, Infinity], null],
  [[], null]
])('the range of %j is %j', (values, range) => {
  expect(rangeOf(Float32Array.from(values))).toEqual(range)
})
