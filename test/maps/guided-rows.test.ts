import fc from 'fast-check'
import { expect, test } from 'vitest'
import { identity } from '../../src/maps/affine-map.ts'
import { resizeBilinear } from '../../src/maps/bilinear.ts'
import type { Size } from '../../src/maps/bilinear.ts'
import type { Guide } from '../../src/maps/guide.ts'
import { guidedRows } from '../../src/maps/guided-rows.ts'

const from = { width: 40, height: 24 }
const to = { width: 160, height: 96 }

function refined(plane: Float32Array, guide: Guide, size: Size = from): Float32Array {
  const out = new Float32Array(guide.width * guide.height)
  guidedRows(plane, size, guide, identity)(0, guide.height, out)
  return out
}

/** A plane whose values are told by where its pixels lie, from 0 to 1. */
function planeOf(size: Size, value: (x: number, y: number) => number): Float32Array {
  return Float32Array.from({ length: size.width * size.height }, (_, i) =>
    value(((i % size.width) + 0.5) / size.width, (Math.floor(i / size.width) + 0.5) / size.height)
  )
}

function guideOf(size: Size, brightness: (x: number, y: number) => number): Guide {
  return {
    luma: Uint8Array.from(planeOf(size, (x, y) => Math.round(255 * brightness(x, y)))),
    contrast: 255,
    ...size
  }
}

function noise(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
}

function row(plane: Float32Array, { width, height }: Size): Float32Array {
  const middle = Math.floor(height / 2)
  return plane.slice(middle * width, (middle + 1) * width)
}

/** Pixels from the last below 10 % to the first above 90 % of a rising edge. */
function edgeWidth(values: Float32Array): number {
  return values.findIndex((value) => value > 0.9) - values.findLastIndex((value) => value < 0.1)
}

test('values are those of the formula, written out pixel by pixel', () => {
  const random = noise(7)
  const [small, large] = [
    { width: 9, height: 7 },
    { width: 31, height: 20 }
  ]
  const plane = planeOf(small, (x) => 3 + x + 0.3 * random())
  const guide = guideOf(large, (x) => 0.8 * x + 0.2 * random())
  const expected = reference(plane, small, guide)
  for (const [i, value] of refined(plane, guide, small).entries()) expect(value).toBeCloseTo(expected[i]!, 4)
})

test('an edge that the network blurs lies where the picture has it, and is as sharp', () => {
  const edge = 0.53
  const plane = planeOf(from, (x) => 1 / (1 + Math.exp(-(x - edge) * 25)))
  const guide = guideOf(to, (x) => (x < edge ? 0.3 : 0.6))
  const plain = row(resizeBilinear(plane, from, to), to)
  const sharp = row(refined(plane, guide), to)
  expect(edgeWidth(plain)).toBeGreaterThan(20)
  const steps = sharp.map((value, i) => (i === 0 ? 0 : value - sharp[i - 1]!))
  const steepest = steps.indexOf(Math.max(...steps))
  expect(steepest).toBe(Math.round(edge * to.width))
  const plainSteps = plain.map((value, i) => (i === 0 ? 0 : value - plain[i - 1]!))
  expect(steps[steepest]).toBeGreaterThan(5 * Math.max(...plainSteps))
})

test('an edge that the picture does not show is kept, not blurred', () => {
  const plane = planeOf(from, (x) => (x < 0.5 ? 0 : 1))
  const kept = row(
    refined(
      plane,
      guideOf(to, () => 0.5)
    ),
    to
  )
  expect(edgeWidth(kept)).toBeLessThanOrEqual(edgeWidth(row(resizeBilinear(plane, from, to), to)))
})

test('constant depth stays what it is, whatever the picture shows', () => {
  fc.assert(
    fc.property(fc.float({ min: 0, max: 1000, noNaN: true }), fc.integer(), (depth, seed) => {
      const random = noise(seed)
      const plane = new Float32Array(from.width * from.height).fill(depth)
      expect(refined(plane, guideOf(to, random)).every((value) => value === plane[0])).toBe(true)
    }),
    { numRuns: 20 }
  )
})

test('texture on a slope leaves it a slope, within what depth changes by in half a window', () => {
  const [small, large] = [
    { width: 140, height: 80 },
    { width: 420, height: 240 }
  ]
  const plane = planeOf(small, (x, y) => x + y)
  const plain = resizeBilinear(plane, small, large)
  const checks = (x: number, y: number) => (Math.floor(x * 20) + Math.floor(y * 12)) % 2
  for (const texture of [noise(3), checks]) {
    const errors = refined(plane, guideOf(large, texture), small).map((value, i) =>
      Math.abs(value - plain[i]!)
    )
    expect(Math.max(...errors)).toBeLessThan(3.5 / 140 + 3.5 / 80)
    expect(mean([...errors])).toBeLessThan(0.005 * 2)
  }
})

test('no value is below or above those of the network around it', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = noise(seed)
      const plane = planeOf(from, () => (random() < 0.5 ? 0 : random()))
      const values = refined(plane, guideOf(to, random))
      const { min, max } = around(plane, 4)
      for (const [i, value] of values.entries()) {
        const [x, y] = [Math.floor((i % to.width) / 4), Math.floor(i / to.width / 4)]
        const at = y * from.width + x
        expect(value).toBeGreaterThanOrEqual(min[at]! - 1e-6)
        expect(value).toBeLessThanOrEqual(max[at]! + 1e-6)
      }
    }),
    { numRuns: 5 }
  )
})

test('a line is applied to the depth, and its bounds hold', () => {
  const plane = planeOf(from, (x) => x)
  const guide = guideOf(to, (x) => x ** 2)
  const line = { scale: 1000, offset: 20.5, floor: 200, limit: 700 }
  const stored = new Uint16Array(to.width * to.height)
  guidedRows(plane, from, guide, line)(0, to.height, stored)
  const mapped = plane.map((value) => Math.max(200, Math.min(700, 1000 * value + 20.5)))
  expect(stored).toEqual(Uint16Array.from(refined(mapped, guide)))
  expect([Math.min(...stored), Math.max(...stored)]).toEqual([200, 700])
})

test('a shift far above the range of the depth loses nothing of it', () => {
  const plane = planeOf(from, (x) => (x < 0.5 ? 0 : 1) / 8)
  const guide = guideOf(to, (x) => (x < 0.51 ? 0.2 : 0.8))
  const far = refined(
    plane.map((value) => value + 1024),
    guide
  )
  for (const [i, value] of refined(plane, guide).entries()) expect(far[i]).toBeCloseTo(value + 1024, 3)
})

test('rows come alike in pieces and at once', () => {
  const plane = planeOf(from, (x, y) => Math.sin(9 * x) + y)
  const guide = guideOf(to, noise(1))
  const whole = refined(plane, guide)
  const rows = guidedRows(plane, from, guide, identity)
  for (let first = 0; first < to.height; first += 7) {
    const count = Math.min(7, to.height - first)
    const out = new Float32Array(count * to.width)
    rows(first, count, out)
    expect(out).toEqual(whole.slice(first * to.width, (first + count) * to.width))
  }
})

test('luma of limited range guides as that of full range does', () => {
  const plane = planeOf(from, (x) => x)
  const full = guideOf(to, (x) => (x < 0.4 ? 0 : 1))
  const limited = { ...full, luma: full.luma.map((value) => (value === 0 ? 16 : 235)), contrast: 219 }
  const expected = refined(plane, full)
  for (const [i, value] of refined(plane, limited).entries()) expect(value).toBeCloseTo(expected[i]!, 5)
})

test('a picture smaller than the network’s adds nothing', () => {
  const plane = planeOf(from, (x) => x)
  const small = { width: 30, height: 18 }
  expect(refined(plane, guideOf(small, noise(2)))).toEqual(resizeBilinear(plane, from, small))
})

/** Extremes of the plane within a distance. */
function around(plane: Float32Array, distance: number): { min: number[]; max: number[] } {
  const { width, height } = from
  const of = (pick: (...values: number[]) => number) =>
    Array.from(plane, (_, i) => {
      const values: number[] = []
      for (let dy = -distance; dy <= distance; dy++)
        for (let dx = -distance; dx <= distance; dx++) {
          const [x, y] = [(i % width) + dx, Math.floor(i / width) + dy]
          if (x >= 0 && y >= 0 && x < width && y < height) values.push(plane[y * width + x]!)
        }
      return pick(...values)
    })
  return { min: of(Math.min), max: of(Math.max) }
}

/** Windows of 7 x 7, one line each by least squares; each pixel the weighted mean of its windows' lines. */
function reference(plane: Float32Array, size: Size, guide: Guide): Float32Array {
  const { width, height } = size
  const [least, most] = [Math.min(...plane), Math.max(...plane)]
  const unit = plane.map((value) => (value - least) / (most - least))
  const luma = planeOf(size, (x, y) => {
    const [left, right] = [x - 0.5 / width, x + 0.5 / width].map((at) => Math.floor(at * guide.width + 1e-9))
    const [top, bottom] = [y - 0.5 / height, y + 0.5 / height].map((at) =>
      Math.floor(at * guide.height + 1e-9)
    )
    const covered: number[] = []
    for (let j = top!; j < bottom!; j++)
      for (let i = left!; i < right!; i++) covered.push(guide.luma[j * guide.width + i]! / guide.contrast)
    return mean(covered)
  })
  const window = (i: number): number[] =>
    Array.from(plane.keys()).filter(
      (j) =>
        Math.abs((j % width) - (i % width)) <= 3 &&
        Math.abs(Math.floor(j / width) - Math.floor(i / width)) <= 3
    )
  const lines = Array.from(plane, (_, i) => {
    const [xs, ys] = [window(i).map((j) => luma[j]!), window(i).map((j) => unit[j]!)]
    const [x, y] = [mean(xs), mean(ys)]
    const slope = mean(xs.map((v, k) => (v - x) * (ys[k]! - y))) / (mean(xs.map((v) => (v - x) ** 2)) + 1e-4)
    const base = y - slope * x
    const error = mean(ys.map((v, k) => (v - y - slope * (xs[k]! - x)) ** 2))
    return { slope, base, weight: (error + 5e-4) ** -2 }
  })
  const average = (i: number, of: 'slope' | 'base') => {
    const near = window(i).map((j) => lines[j]!)
    return (
      near.reduce((sum, line) => sum + line.weight * line[of], 0) /
      near.reduce((sum, line) => sum + line.weight, 0)
    )
  }
  const large = (coarse: Float32Array) => resizeBilinear(coarse, size, guide)
  const slopes = large(Float32Array.from(plane.keys(), (i) => average(i, 'slope') * (most - least)))
  const bases = large(Float32Array.from(plane.keys(), (i) => average(i, 'base') * (most - least) + least))
  const lows = large(Float32Array.from(plane.keys(), (i) => Math.min(...window(i).map((j) => plane[j]!))))
  const highs = large(Float32Array.from(plane.keys(), (i) => Math.max(...window(i).map((j) => plane[j]!))))
  return slopes.map((slope, i) =>
    Math.max(lows[i]!, Math.min(highs[i]!, (slope * guide.luma[i]!) / guide.contrast + bases[i]!))
  )
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
