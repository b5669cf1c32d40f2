import { expect, test } from 'vitest'
import { colorTable } from '../../src/colormap.ts'
import { sideBySide } from '../../src/video/index.ts'

test('the source is on the left and its depth on the right', () => {
  const frame = { width: 2, height: 1, rgb: Uint8Array.of(9, 8, 7, 6, 5, 4) }
  const depth = { width: 1, height: 1, values: Float32Array.of(1), ends: { far: 0, near: 1 } }
  const composed = sideBySide(frame, depth, colorTable('gray'))
  expect(composed).toEqual({
    width: 4,
    height: 1,
    rgb: Uint8Array.of(9, 8, 7, 6, 5, 4, 255, 255, 255, 255, 255, 255)
  })
})
