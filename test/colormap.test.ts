import { expect, test } from 'vitest'
import { colorize, colorTable, displayEnds } from '../src/colormap.ts'

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

test.each(['turbo', 'inferno'] as const)('%s goes from dark to its own last colour without jumps', (name) => {
  const table = colorTable(name)
  for (let entry = 1; entry < 256; entry++) {
    for (let channel = 0; channel < 3; channel++) {
      const step = Math.abs((table[entry * 3 + channel] ?? 0) - (table[entry * 3 - 3 + channel] ?? 0))
      expect(step).toBeLessThan(16)
    }
  }
})
