import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { decodeFloat16 } from '../../../src/maps/float16.ts'
import { guideOfRgb } from '../../../src/maps/guide.ts'
import type { Guide } from '../../../src/maps/guide.ts'
import { decodeMessage, kinds } from '../../../src/wire/frame.ts'
import type { Quantity, ValidFrame } from '../../../src/wire/frame.ts'
import { rangeOf } from '../../../src/inference/pixels/display-range.ts'
import { encodeDepth } from '../../../src/inference/pixels/postprocess.ts'
import type { Size } from '../../../src/inference/pixels/resolution.ts'
import { identity } from '../../../src/maps/affine-map.ts'
import { sessionOptions } from '../../../src/session.ts'
import type { OutputOptions } from '../../../src/wire/output.ts'

const size = { width: 56, height: 28 }
const labels = {
  flags: 1,
  seq: 9,
  timestampUs: 1234,
  epoch: 3,
  quantity: 'relative-inverse-depth',
  queueUs: 5,
  computeUs: 6
} as const

/** A slope with some unevenness, from 0.5 to about 8. */
function slope({ width, height }: Size): Float32Array {
  return Float32Array.from(
    { length: width * height },
    (_, i) => 0.5 + (7 * i) / (width * height) + Math.sin(i) / 9
  )
}

async function encode(
  output: Partial<OutputOptions>,
  depth = slope(size),
  source: Size = size,
  quantity: Quantity = labels.quantity,
  guide: Guide | null = null
): Promise<ValidFrame> {
  const range = rangeOf(depth) ?? { min: NaN, max: NaN }
  const display = { min: 0.25, max: 9 }
  const { output: defaults } = sessionOptions({}, 'any')
  const options: OutputOptions = { ...defaults, quality: 90, ...output }
  return decodeMessage(
    await encodeDepth(
      { depth, size, source, guide, affine: identity, range, display },
      { ...labels, quantity },
      options
    )
  )
}

function u16(payload: Uint8Array): Uint16Array {
  return new Uint16Array(payload.slice().buffer)
}

function largestError(found: ArrayLike<number>, wanted: Float32Array): number {
  return wanted.reduce((worst, value, i) => Math.max(worst, Math.abs((found[i] ?? NaN) - value)), 0)
}

test('the header echoes the frame and explains the map', async () => {
  const { header } = await encode({})
  expect(header).toMatchObject({
    ...labels,
    ...size,
    kind: kinds.depth,
    codec: 'raw',
    dtype: 'u16',
    rangeMin: 0.25,
    rangeMax: 9
  })
})

test('u16 is within half a step of the depth, and its ends are used', async () => {
  const depth = slope(size)
  const { header, payload } = await encode({ format: 'u16' }, depth)
  const stored = u16(payload)
  const worst = Math.max(
    ...depth.map((value, i) => Math.abs((stored[i] ?? NaN) * header.scale + header.offset - value))
  )
  expect(worst).toBeLessThanOrEqual(header.scale * 0.5001 + 1e-6)
  expect([Math.min(...stored), Math.max(...stored)]).toEqual([0, 65_535])
})

test('u16 holds for any range of depths', async () => {
  // A range of denormals has no float32 scale of enough digits; no depth is that small.
  const value = fc
    .float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
    .map((depth) => (Math.abs(depth) < 1e-30 ? 0 : depth))
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 40 }), async (values) => {
      const depth = Float32Array.from({ length: 56 * 28 }, (_, i) => values[i % values.length] ?? 0)
      const { header, payload } = await encode({ format: 'u16' }, depth)
      const { scale, offset } = header
      const read = Array.from(u16(payload), (stored) => stored * scale + offset)
      // Half a step, and what float32 loses at the far end of the range.
      const tolerance = scale * 0.5001 + (65_535 * scale + Math.abs(offset)) * 2 ** -23
      expect(largestError(read, depth)).toBeLessThanOrEqual(tolerance)
    }),
    { numRuns: 50 }
  )
})

test('a flat map survives u16', async () => {
  const { header, payload } = await encode({}, new Float32Array(size.width * size.height).fill(2.5))
  expect((u16(payload)[100] ?? NaN) * header.scale + header.offset).toBe(2.5)
})

test('f32 is the depth bit for bit, f16 the nearest half', async () => {
  const depth = slope(size)
  const f32 = await encode({ format: 'f32' }, depth)
  expect(new Float32Array(f32.payload.slice().buffer)).toEqual(depth)
  const f16 = await encode({ format: 'f16' }, depth)
  expect(f16.header).toMatchObject({ codec: 'raw', dtype: 'f16', scale: 1, offset: 0 })
  for (const [i, value] of decodeFloat16(u16(f16.payload)).entries()) {
    expect(Math.abs(value - (depth[i] ?? NaN))).toBeLessThanOrEqual((depth[i] ?? NaN) * 2 ** -11)
  }
})

test('png16 holds the same values as u16', async () => {
  const [plain, png] = [await encode({ format: 'u16' }), await encode({ format: 'png16' })]
  expect(png.header).toMatchObject({
    codec: 'png',
    dtype: 'u16',
    scale: plain.header.scale,
    offset: plain.header.offset
  })
  const decoded = await sharp(png.payload).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer()
  expect(u16(decoded)).toEqual(u16(plain.payload))
})

test.each(['jpeg', 'webp'] as const)('%s is a picture of the display range', async (format) => {
  const { header, payload } = await encode({ format, colormap: 'gray', quality: 100 })
  expect(header).toMatchObject({ codec: format, dtype: 'u8' })
  const { data, info } = await sharp(payload).raw().toBuffer({ resolveWithObject: true })
  expect({ width: info.width, height: info.height }).toEqual(size)
  const wanted = slope(size)
  const worst = Math.max(
    ...wanted.map((value, i) =>
      Math.abs((data[i * info.channels] ?? NaN) * header.scale + header.offset - value)
    )
  )
  expect(worst).toBeLessThan(12 * header.scale)
})

test('a picture of metres is bright where it is near, and still says how to read it', async () => {
  const depth = slope(size)
  const output = { format: 'webp', colormap: 'gray', quality: 100 } as const
  const { header, payload } = await encode(output, depth, size, 'metric-depth')
  expect(header).toMatchObject({ quantity: 'metric-depth', rangeMin: 0.25, rangeMax: 9 })
  const { data, info } = await sharp(payload).raw().toBuffer({ resolveWithObject: true })
  const stored = Array.from(depth, (_, i) => data[i * info.channels] ?? NaN)
  expect(stored.at(0)).toBeGreaterThan(stored.at(-1) ?? NaN)
  const worst = Math.max(
    ...stored.map((value, i) => Math.abs(value * header.scale + header.offset - (depth[i] ?? NaN)))
  )
  expect(worst).toBeLessThan(12 * Math.abs(header.scale))
})

test('at source size the map is interpolated between the values of the network', async () => {
  const depth = Float32Array.from({ length: size.width * size.height }, (_, i) => i % size.width)
  const { header, payload } = await encode({ format: 'f32', size: 'source' }, depth, {
    width: 112,
    height: 84
  })
  expect(header).toMatchObject({ width: 112, height: 84 })
  const row = new Float32Array(payload.slice().buffer).subarray(40 * 112, 41 * 112)
  expect([...row.subarray(0, 4)]).toEqual([0, 0.25, 0.75, 1.25])
  expect([...row.subarray(-2)]).toEqual([54.75, 55])
})

describe('a refined map', () => {
  const large = { width: 168, height: 84 }
  /** Dark on the left, bright on the right of where depth jumps. */
  const step = Float32Array.from({ length: size.width * size.height }, (_, i) =>
    i % size.width < 28 ? 1 : 5
  )
  const rgb = new Uint8Array(large.width * large.height * 3).map((_, i) =>
    Math.floor(i / 3) % large.width < 86 ? 60 : 200
  )
  const refine = async (output: Partial<OutputOptions>, quantity?: Quantity) =>
    encode({ size: 'source', refine: true, ...output }, step, large, quantity, guideOfRgb(rgb, large))

  test('has its edge where the picture has it', async () => {
    const { header, payload } = await refine({ format: 'f32' })
    expect(header).toMatchObject({ ...large, ...labels })
    const row = new Float32Array(payload.slice().buffer).subarray(40 * large.width, 41 * large.width)
    const steps = row.map((value, i) => (i === 0 ? 0 : value - row[i - 1]!))
    expect(steps.indexOf(Math.max(...steps))).toBe(86)
    expect([Math.min(...row), Math.max(...row)]).toEqual([1, 5])
  })

  test.each(['relative-inverse-depth', 'metric-depth'] as const)(
    'of %s has the same values in every format',
    async (quantity) => {
      const f32 = new Float32Array((await refine({ format: 'f32' }, quantity)).payload.slice().buffer)
      const { header, payload } = await refine({ format: 'u16' }, quantity)
      expect(header.quantity).toBe(quantity)
      const stored = u16(payload)
      const read = Array.from(stored, (value) => value * header.scale + header.offset)
      expect(largestError(read, f32)).toBeLessThan(header.scale * 1.01)
      const halves = decodeFloat16(u16((await refine({ format: 'f16' }, quantity)).payload))
      expect(largestError(halves, f32)).toBeLessThanOrEqual(5 * 2 ** -11)
      const png = await refine({ format: 'png16' }, quantity)
      const decoded = await sharp(png.payload).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer()
      expect(u16(decoded)).toEqual(stored)
    }
  )

  test('of a size other than the frame’s is not refined', async () => {
    const { header, payload } = await refine({ format: 'f32', size: 'network' })
    expect(header).toMatchObject(size)
    expect(new Float32Array(payload.slice().buffer)).toEqual(step)
  })
})
