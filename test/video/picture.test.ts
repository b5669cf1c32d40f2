import { expect, test } from 'vitest'
import { colorTable } from '../../src/colormap.ts'
import { resizeBilinear, sideBySide } from '../../src/video/index.ts'

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
