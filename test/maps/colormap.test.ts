import { expect, test } from 'vitest'
import { colorize, colorTable, displayEnds } from '../../src/maps/colormap.ts'

test('the ends of the range get the ends of the table, and what lies outside is clamped', () => {
  const table = colorTable('gray')
  expect([...colorize([2, 4, 3, -9, 99], { far: 2, near: 4 }, table)]).toEqual([
    0, 0, 0, 255, 255, 255, 128, 128, 128, 0, 0, 0, 255, 255, 255
  ])
})

test('what is near is bright, whichever way the quantity counts', () => {
  const range = { min: 1, max: 3 }
  const colored = (quantity: 'relative-inverse-depth' | 'metric-depth') => {
    const ends = displayEnds(range, quantity)
    return [...colorize([1, 2, 3], ends, colorTable('gray'))].filter((_, i) => i % 3 === 0)
  }
  expect(colored('relative-inverse-depth')).toEqual([0, 128, 255])
  expect(colored('metric-depth')).toEqual([255, 128, 0])
})

test('a map without range is one colour and not NaN', () => {
  expect([...colorize([5, 5], { far: 5, near: 5 }, colorTable('gray'))]).toEqual([0, 0, 0, 0, 0, 0])
})

/** Entries 0, 64, 128 and 255 as they were published, float colours rounded to 8 bits. */
test.each([
  ['turbo', ['30123b', '28bceb', 'a4fc3c', '7a0403']],
  ['inferno', ['000004', '57106e', 'bc3754', 'fcffa4']],
  ['magma', ['000004', '51127c', 'b73779', 'fcfdbf']],
  ['spectral', ['5e4fa2', '89d0a4', 'fffebe', '9e0142']],
  ['gray', ['000000', '404040', '808080', 'ffffff']]
] as const)('%s has the colours that were published, from far to near', (name, colors) => {
  const table = Buffer.from(colorTable(name))
  const found = [0, 64, 128, 255].map((entry) => table.subarray(entry * 3, entry * 3 + 3).toString('hex'))
  expect(found).toEqual(colors)
})
