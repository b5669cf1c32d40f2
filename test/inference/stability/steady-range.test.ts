import fc from 'fast-check'
import { expect, test } from 'vitest'
import { steadyRange } from '../../../src/inference/stability/steady-range.ts'
import type { SteadyRange } from '../../../src/inference/stability/steady-range.ts'

/** A map that reaches from `min` to `max`, with noise. */
function mapOf(min: number, max: number, noise = 0, seed = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length: 5000 }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return min + ((max - min) * i) / 4999 + noise * (state / 2 ** 31 - 1)
  })
}

function run(maps: readonly Float32Array[]): SteadyRange[] {
  const ranges: SteadyRange[] = []
  for (const map of maps) ranges.push(steadyRange(ranges.at(-1) ?? null, map))
  return ranges
}

test('the first map sets the range, with headroom and without its tails', () => {
  const spotted = mapOf(0, 10)
  spotted[2500] = 1e6
  const [{ shown }] = run([spotted]) as [SteadyRange]
  expect(shown.min).toBeGreaterThan(-1)
  expect(shown.max).toBeGreaterThan(10)
  expect(shown.max).toBeLessThan(11)
})

test('noise does not move the range at all', () => {
  const ranges = run(Array.from({ length: 200 }, (_, seed) => mapOf(2, 8, 0.3, seed)))
  for (const { shown } of ranges) expect(shown).toBe(ranges[0]!.shown)
})

test('a lasting change is followed within ten frames, and then the range rests', () => {
  const ranges = run([mapOf(0, 4), ...Array.from({ length: 60 }, () => mapOf(1, 12))])
  const extent = 12
  expect(Math.abs(ranges[10]!.shown.max - 12.5)).toBeLessThan(0.2 * extent)
  expect(Math.abs(ranges[25]!.shown.max - 12.5)).toBeLessThan(0.03 * extent)
  expect(ranges[59]!.shown).toBe(ranges[60]!.shown)
})

test('a slow change is followed with a lag of little more than the tolerance', () => {
  const ranges = run(Array.from({ length: 100 }, (_, i) => mapOf(0, 4 + 0.04 * i)))
  for (const [i, { shown }] of ranges.entries()) {
    const real = 4 + 0.04 * i
    expect(Math.abs(shown.max - real)).toBeLessThan(0.25 * real)
  }
})

test('a new epoch starts with its own range', () => {
  const before = run([mapOf(0, 4), mapOf(0, 4)]).at(-1)!
  const after = steadyRange(null, mapOf(100, 200))
  expect(before.shown.max).toBeLessThan(5)
  expect(after.shown.min).toBeGreaterThan(90)
})

test('a map without extent, of any value, has a range that is a number', () => {
  const values = fc.array(
    fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
    {
      minLength: 1,
      maxLength: 6
    }
  )
  fc.assert(
    fc.property(values, (constants) => {
      const ranges = run(constants.map((value) => new Float32Array(50).fill(value)))
      for (const { shown } of ranges) {
        expect(Number.isFinite(shown.min) && Number.isFinite(shown.max)).toBe(true)
        expect(shown.max).toBeGreaterThanOrEqual(shown.min)
      }
    })
  )
})
