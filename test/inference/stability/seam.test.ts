import { expect, test } from 'vitest'
import { encodeDepth } from '../../../src/inference/pixels/postprocess.ts'
import { rangeOf } from '../../../src/inference/pixels/display-range.ts'
import { depthOfCells, gridSize } from '../../../src/inference/stability/frame-grid.ts'
import { headerBytes } from '../../../src/wire/frame.ts'
import { givenSeam } from '../../../src/inference/stability/given-seam.ts'
import { faded, joinSeam } from '../../../src/inference/stability/seam.ts'
import { identity } from '../../../src/maps/affine-map.ts'
import { outputOptions } from '../../../src/wire/output.ts'
import type { OutputFormat } from '../../../src/wire/output.ts'

const shown = Float32Array.from({ length: 900 }, (_, i) => 1 + Math.sin(i / 7) + (i % 30) / 30)
const extent = Math.max(...shown) - Math.min(...shown)

test('scale and shift are found, and what a moved edge makes different does not turn them', () => {
  const rebuilt = shown.map((value) => (value - 0.2) / 1.25)
  const clean = joinSeam(rebuilt, shown, { isMetric: false })
  expect(clean.line!.scale).toBeCloseTo(1.25, 5)
  expect(clean.line!.shift).toBeCloseTo(0.2, 5)
  expect(clean.residual).toBeLessThan(1e-6)
  const moved = rebuilt.map((value, i) => (i % 12 === 0 ? value + 3 : value))
  const robust = joinSeam(moved, shown, { isMetric: false })
  expect(robust.line!.scale).toBeCloseTo(1.25, 1)
  expect(robust.line!.shift).toBeCloseTo(0.2, 1)
})

test('metres are left as they are, and so is a map that no line brings nearer; the residual tells what stays', () => {
  const rebuilt = shown.map((value) => value + 0.1)
  expect(joinSeam(rebuilt, shown, { isMetric: true })).toEqual({
    line: null,
    residual: expect.closeTo(0.1 / extent, 5)
  })
  const [flat, reversed] = [shown.map(() => 1), shown.map((value) => 3 - value)]
  for (const unlike of [flat, reversed]) expect(joinSeam(unlike, shown, { isMetric: false }).line).toBeNull()
  expect(joinSeam(flat, flat, { isMetric: false })).toEqual({ line: null, residual: 0 })
})

test('a line fades by a factor e with each window, and ends', () => {
  let line: { scale: number; shift: number } | null = { scale: 1.5, shift: -0.2 }
  for (let frame = 0; frame < 15; frame++) line = line && faded(line, 15, 1)
  expect(line!.scale).toBeCloseTo(1 + 0.5 / Math.E, 10)
  expect(line!.shift).toBeCloseTo(-0.2 / Math.E, 10)
  let frames = 0
  for (; line && frames < 1000; frames++) line = faded(line, 15, 1)
  expect(frames).toBeGreaterThan(60)
  expect(frames).toBeLessThan(150)
  expect(faded({ scale: 1, shift: 1e-3 }, 15, 100)).toBeNull()
})

const size = { width: 70, height: 56 }
const source = { width: 317, height: 241 }
const depth = Float32Array.from(
  { length: size.width * size.height },
  (_, i) => 1 + ((i % size.width) + Math.floor(i / size.width)) / 40
)

async function messageOf(
  format: OutputFormat,
  where: 'network' | 'source',
  flags = 0,
  compression: 'none' | 'deflate' = 'none'
) {
  const range = rangeOf(depth)!
  const map = {
    depth: Float32Array.from(depth),
    size,
    source,
    guide: null,
    affine: identity,
    range,
    display: { min: 2, max: 5 }
  }
  const labels = { flags, seq: 8, timestampUs: 0, epoch: 3, queueUs: 0, computeUs: 0 }
  return encodeDepth(
    map,
    { ...labels, quantity: 'relative-inverse-depth' },
    outputOptions({ format, size: where, compression })
  )
}

test.each([
  ['u16', 'network'],
  ['f16', 'network'],
  ['f32', 'source'],
  ['png16', 'source']
] as const)('a depth map as %s of size %s is a seam on the grid of the network', async (format, where) => {
  const seam = await givenSeam(await messageOf(format, where), size, 3)
  expect(seam).toMatchObject({ seq: 8, display: { min: 2, max: 5 } })
  const cells = depthOfCells(depth, size, gridSize(size))
  expect(seam!.cells.length).toBe(cells.length)
  const off = cells.reduce((sum, value, i) => sum + Math.abs(value - seam!.cells[i]!), 0) / cells.length
  expect(off).toBeLessThan(0.03)
})

test('a compressed depth map is the seam that a plain one is', async () => {
  const plain = await givenSeam(await messageOf('u16', 'network'), size, 3)
  expect(await givenSeam(await messageOf('u16', 'network', 0, 'deflate'), size, 3)).toEqual(plain)
  const damaged = await messageOf('u16', 'network', 0, 'deflate')
  damaged.fill(7, headerBytes + 2)
  await expect(givenSeam(damaged, size, 3)).rejects.toMatchObject({ code: 'FRAME_MALFORMED' })
})

test('a picture, a blank map and one of another epoch are none', async () => {
  expect(await givenSeam(await messageOf('jpeg', 'network'), size, 3)).toBeNull()
  expect(await givenSeam(await messageOf('u16', 'network', 4), size, 3)).toBeNull()
  expect(await givenSeam(await messageOf('u16', 'network'), size, 4)).toBeNull()
})
