import { expect, test } from 'vitest'
import { guideOfRgb, shrunkGuide } from '../../src/maps/guide.ts'

test('the luma of a picture is brightest where it is white, and green counts most', () => {
  const rgb = Uint8Array.of(0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255)
  const guide = guideOfRgb(rgb, { width: 5, height: 1 })
  expect(guide).toEqual({ width: 5, height: 1, contrast: 255, luma: Uint8Array.of(0, 255, 76, 149, 28) })
})

test('shrunk, each pixel is the mean of those that it covers, also where the sides do not divide', () => {
  const luma = Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
  const guide = { luma, contrast: 100, width: 5, height: 2 }
  expect([...shrunkGuide(guide, { width: 2, height: 1 })]).toEqual([
    expect.closeTo(0.3, 6),
    expect.closeTo(0.55, 6)
  ])
})

test('what has the guide’s size already stays as it is', () => {
  const guide = { luma: Uint8Array.of(0, 50, 100, 200), contrast: 200, width: 2, height: 2 }
  expect([...shrunkGuide(guide, guide)]).toEqual([0, 0.25, 0.5, 1])
})
