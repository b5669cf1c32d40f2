import { expect, test } from 'vitest'
import { colorize, colorTable } from '../src/colormap.ts'

test('the ends of the range get the ends of the table, and what lies outside is clamped', () => {
  const table = colorTable('gray')
  expect([...colorize([2, 4, 3, -9, 99], 2, 4, table)]).toEqual([
    0, 0, 0, 255, 255, 255, 128, 128, 128, 0, 0, 0, 255, 255, 255
  ])
})

test('a map without range is one colour and not NaN', () => {
  expect([...colorize([5, 5], 5, 5, colorTable('gray'))]).toEqual([0, 0, 0, 0, 0, 0])
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
