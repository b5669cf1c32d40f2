import { expect, test } from 'vitest'
import { bilinearRows, resizeBilinear } from '../../src/maps/bilinear.ts'

test('enlarging repeats the edge and mixes in between, with pixel centres aligned', () => {
  const resized = resizeBilinear(Float32Array.of(0, 4), { width: 2, height: 1 }, { width: 4, height: 2 })
  expect([...resized]).toEqual([0, 1, 3, 4, 0, 1, 3, 4])
})

test('halving averages two by two', () => {
  const resized = resizeBilinear(
    Float32Array.of(0, 2, 4, 6),
    { width: 2, height: 2 },
    { width: 1, height: 1 }
  )
  expect([...resized]).toEqual([3])
})

test('the plane itself where nothing changes', () => {
  const plane = Float32Array.of(1, 2)
  expect(resizeBilinear(plane, { width: 2, height: 1 }, { width: 2, height: 1 })).toBe(plane)
})

const from = { width: 3, height: 2 }
const plane = Float32Array.of(0, 1, 2, 3, 4, 5)

test.each([from, { width: 7, height: 5 }])('rows come alike in pieces and at once, at %o', (to) => {
  const whole = resizeBilinear(plane, from, to)
  const rows = bilinearRows(plane, from, to)
  for (let row = 0; row < to.height; row++) {
    const out = new Float32Array(to.width)
    rows(row, 1, out)
    expect(out).toEqual(whole.slice(row * to.width, (row + 1) * to.width))
  }
})

test.each([from, { width: 6, height: 4 }])(
  'a line is applied to every value and never passed, at %o',
  (to) => {
    const out = new Uint16Array(to.width * to.height)
    bilinearRows(plane, from, to, { scale: 100, offset: 0.5, floor: 150, limit: 400 })(0, to.height, out)
    const plain = resizeBilinear(
      Float32Array.from(plane, (value) => Math.max(150, Math.min(400, value * 100 + 0.5))),
      from,
      to
    )
    expect([...out]).toEqual(Array.from(plain, Math.floor))
  }
)
