import fc from 'fast-check'
import { expect, test } from 'vitest'
import { largestSizes, networkSize } from '../../../src/inference/pixels/resolution.ts'

const nano = { multiple: 14, lowerBound: 196, maxArea: 68_600 }
const small = { multiple: 14, lowerBound: 518, maxArea: 518 * 924 }

test.each([
  ['16:9 video', nano, [1280, 720], [350, 196]],
  ['16:9 of any scale', nano, [3840, 2160], [350, 196]],
  ['a portrait phone', nano, [720, 1280], [196, 350]],
  ['4:3', nano, [640, 480], [266, 196]],
  ['a square', nano, [1000, 1000], [196, 196]],
  ['a picture below the bound, which grows', nano, [100, 100], [196, 196]],
  ['a panorama above the budget, which shrinks', nano, [4000, 1000], [518, 126]],
  ['a line, of which one patch stays', nano, [10_000, 1], [4900, 14]],
  ['a column, of which one patch stays', nano, [1, 10_000], [14, 4900]],
  ['KITTI with the official bound', small, [1242, 375], [1246, 378]],
  ['16:9 with the official bound', small, [1920, 1080], [924, 518]]
] as const)('%s gets its network size', (_, rule, [width, height], [w, h]) => {
  expect(networkSize({ width, height }, rule)).toEqual({ width: w, height: h })
})

const side = fc.integer({ min: 1, max: 9000 })
const rules = fc.record({
  multiple: fc.constant(14),
  lowerBound: fc.integer({ min: 2, max: 60 }).map((patches) => patches * 14),
  maxArea: fc.integer({ min: 16, max: 4000 }).map((patches) => patches * 196)
})

test('every size is made of whole patches and within the budget', () => {
  fc.assert(
    fc.property(side, side, rules, (width, height, rule) => {
      const size = networkSize({ width, height }, rule)
      expect(size.width % 14).toBe(0)
      expect(size.height % 14).toBe(0)
      expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual(14)
      expect(size.width * size.height).toBeLessThanOrEqual(rule.maxArea)
    })
  )
})

test('the aspect is kept to within a patch on each side, unless a side is a single patch', () => {
  fc.assert(
    fc.property(side, side, rules, (width, height, rule) => {
      const size = networkSize({ width, height }, rule)
      const shorter = Math.min(size.width, size.height)
      fc.pre(shorter > 14)
      const error = Math.abs(Math.log(size.width / size.height / (width / height)))
      expect(error).toBeLessThanOrEqual(Math.log((shorter + 14) / (shorter - 7)))
    })
  )
})

test('turning a source turns its network size', () => {
  fc.assert(
    fc.property(side, side, rules, (width, height, rule) => {
      const size = networkSize({ width, height }, rule)
      expect(networkSize({ width: height, height: width }, rule)).toEqual({
        width: size.height,
        height: size.width
      })
    })
  )
})

test('every size is contained in one of the largest', () => {
  fc.assert(
    fc.property(side, side, rules, (width, height, rule) => {
      const size = networkSize({ width, height }, rule)
      const holds = largestSizes(rule).some(
        (large) => large.width >= size.width && large.height >= size.height
      )
      expect(holds).toBe(true)
    })
  )
})

test('the largest sizes are few, within the budget, and none is contained in another', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const sizes = largestSizes(rule)
      expect(sizes.length).toBeLessThanOrEqual(2 * Math.sqrt(rule.maxArea / 196))
      for (const [i, { width, height }] of sizes.entries()) {
        expect(width * height).toBeLessThanOrEqual(rule.maxArea)
        const next = sizes[i + 1]
        if (next) expect([next.width < width, next.height > height]).toEqual([true, true])
      }
    })
  )
})
