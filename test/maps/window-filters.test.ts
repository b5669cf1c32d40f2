import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Size } from '../../src/maps/bilinear.ts'
import { windowExtremes, windowMeans } from '../../src/maps/window-filters.ts'

interface Case extends Size {
  plane: Float32Array
  radius: number
}

const side = fc.integer({ min: 1, max: 12 })
const cases = fc.tuple(side, side, fc.integer({ min: 0, max: 5 })).chain(([width, height, radius]) =>
  fc
    .array(fc.float({ min: -100, max: 100, noNaN: true }), {
      minLength: width * height,
      maxLength: width * height
    })
    .map((values): Case => ({ width, height, radius, plane: Float32Array.from(values) }))
)

/** The values of each pixel's window, pixel by pixel. */
function windows({ plane, width, radius }: Case): number[][] {
  return Array.from(plane, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return [...plane].filter((_, j) => {
      const [dx, dy] = [(j % width) - x, Math.floor(j / width) - y]
      return Math.max(Math.abs(dx), Math.abs(dy)) <= radius
    })
  })
}

test('means are those of the pixels within the radius, on planes of any size', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const means = windowMeans(given.plane, given, given.radius)
      for (const [i, values] of windows(given).entries())
        expect(means[i]).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 3)
    })
  )
})

test('extremes are those of the pixels within the radius, on planes of any size', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const { min, max } = windowExtremes(given.plane, given, given.radius)
      for (const [i, values] of windows(given).entries()) {
        expect(min[i]! + 0).toBe(Math.min(...values) + 0)
        expect(max[i]! + 0).toBe(Math.max(...values) + 0)
      }
    })
  )
})
