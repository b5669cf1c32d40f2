import { expect, test } from 'vitest'
import { decodeFloat16, encodeFloat16 } from '../../src/maps/float16.ts'

test('every float16 survives the way there and back', () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7fff) <= 0x7c00
  )
  expect(encodeFloat16(decodeFloat16(halves))).toEqual(halves)
})

test.each([
  ['rounds to the nearer', 1 + 0.6 / 1024, 0x3c01],
  ['a tie goes to the even one below', 1 + 0.5 / 1024, 0x3c00],
  ['a tie goes to the even one above', 1 + 1.5 / 1024, 0x3c02],
  ['the largest finite', 65_504, 0x7bff],
  ['just below the middle to the next stays finite', 65_519, 0x7bff],
  ['the middle becomes infinity', 65_520, 0x7c00],
  ['the smallest', 2 ** -24, 0x0001],
  ['half the smallest ties to zero', 2 ** -25, 0x0000],
  ['more than half the smallest', 2 ** -25 * 1.01, 0x0001],
  ['a subnormal that rounds up to the first normal one', 2 ** -14 * (1 - 2 ** -12), 0x0400],
  ['minus zero', -0, 0x8000],
  ['minus infinity', -Infinity, 0xfc00],
  ['NaN', NaN, 0x7e00]
])('%s', (_title, value, bits) => {
  expect(encodeFloat16(Float32Array.of(value))[0]).toBe(bits)
})
