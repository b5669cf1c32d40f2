import { expect, test } from 'vitest'
import { sideBySide } from '../../src/video/index.ts'

test('two pictures are joined row by row', () => {
  const left = { width: 1, height: 2, rgb: Uint8Array.of(9, 8, 7, 6, 5, 4) }
  const right = { width: 1, height: 2, rgb: Uint8Array.of(1, 2, 3, 10, 20, 30) }
  expect(sideBySide(left, right)).toEqual({
    width: 2,
    height: 2,
    rgb: Uint8Array.of(9, 8, 7, 1, 2, 3, 6, 5, 4, 10, 20, 30)
  })
})
