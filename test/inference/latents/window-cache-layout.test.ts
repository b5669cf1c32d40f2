import fc from 'fast-check'
import { expect, test } from 'vitest'
import { windowCacheBytes, windowCacheLayout } from '../../../src/inference/latents/window-cache-layout.ts'
import { sizeMultiple } from '../../../src/inference/weights/architecture-rules.ts'
import { tinyArchitecture, tinyConvArchitecture } from '../tiny-architecture.ts'

const sides = fc.integer({ min: 1, max: 40 })
const plan = fc
  .tuple(fc.constantFrom(tinyArchitecture, tinyConvArchitecture), sides, sides)
  .map(([architecture, rows, columns]) => {
    const multiple = sizeMultiple(architecture)
    return { architecture, height: rows * multiple, width: columns * multiple }
  })

test('values that are needed at the same time do not share memory, nor does what stage 0 leaves', () => {
  fc.assert(
    fc.property(plan, (one) => {
      const { values, length } = windowCacheLayout(one)
      for (const [i, a] of values.entries()) {
        expect(a.offset + 32 * a.size).toBeLessThanOrEqual(length)
        for (const b of values.slice(i + 1)) {
          const isShared = a.offset < b.offset + 32 * b.size && b.offset < a.offset + 32 * a.size
          if (!isShared) continue
          expect(Math.min(a.born, b.born), `${a.name} and ${b.name}`).toBeGreaterThan(0)
          expect(a.lastUsed < b.born || b.lastUsed < a.born, `${a.name} and ${b.name}`).toBe(true)
        }
      }
    })
  )
})

test('a frame that is larger on no side never takes more', () => {
  fc.assert(
    fc.property(plan, fc.nat(10), fc.nat(10), (one, rows, columns) => {
      const multiple = sizeMultiple(one.architecture)
      const larger = { ...one, height: one.height + multiple * rows, width: one.width + multiple * columns }
      expect(windowCacheBytes(larger)).toBeGreaterThanOrEqual(windowCacheBytes(one))
    })
  )
})
