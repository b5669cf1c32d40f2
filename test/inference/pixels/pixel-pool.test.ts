import { beforeAll, afterAll, expect, test } from 'vitest'
import sharp from 'sharp'
import type { ValidFrame } from '../../../src/wire/frame.ts'
import { guideOfRgb } from '../../../src/maps/guide.ts'
import { nobody } from '../../../src/inference/fairness/fair-gate.ts'
import { PixelPool } from '../../../src/inference/pixels/pixel-pool.ts'
import { ownPixels } from '../../../src/inference/pixels/pixel-work.ts'
import type { DepthMap } from '../../../src/inference/pixels/postprocess.ts'
import { sessionOptions } from '../../../src/session.ts'
import type { OutputFormat } from '../../../src/wire/output.ts'
import { frameOf, noise } from '../frames.ts'

const size = { width: 140, height: 98 }
const source = { width: 640, height: 448 }
const rule = { multiple: 14, lowerBound: 98, maxArea: 100_000 }
const options = { rule, maxPixels: 1_000_000, withGuide: false }
const labels = {
  ...{ flags: 1, seq: 9, timestampUs: 1234, epoch: 3, queueUs: 5, computeUs: 6 },
  quantity: 'relative-inverse-depth'
} as const

let pool: PixelPool
beforeAll(() => {
  pool = new PixelPool()
})
afterAll(() => pool.close())

function mapOf(seed: number, guide: DepthMap['guide'] = null): DepthMap {
  const depth = Float32Array.from({ length: size.width * size.height }, (_, i) => seed + Math.sin(i / 60))
  const affine = { scale: 2, offset: 1, floor: 0, limit: 100 }
  const range = { min: 2 * seed - 1, max: 2 * seed + 3 }
  return { depth, size, source, guide, affine, range, display: { min: 0, max: 4 } }
}

const guideOf = (seed: number) => guideOfRgb(noise(seed, source), source)

function picture(seed: number, format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> {
  return sharp(noise(seed, source), { raw: { ...source, channels: 3 } })
    .toFormat(format)
    .toBuffer()
}

test.each(['u16', 'f16', 'f32', 'png16', 'jpeg', 'webp'] satisfies OutputFormat[])(
  'a large map as %s is that of the same code on this thread',
  async (format) => {
    const { output } = sessionOptions({ output: { format, size: 'source' } }, 'any')
    const [near, far] = await Promise.all([
      ownPixels.encode(mapOf(1), labels, output),
      pool.of(nobody).encode(mapOf(1), labels, output)
    ])
    expect(Buffer.compare(far, near)).toBe(0)
  }
)

test.each(['u16', 'f16', 'f32', 'png16', 'jpeg', 'webp'] satisfies OutputFormat[])(
  'a refined map as %s is that of the same code on this thread, and not the unrefined one',
  async (format) => {
    const { output } = sessionOptions({ output: { format, size: 'source', refine: true } }, 'any')
    const [near, far, plain] = await Promise.all([
      ownPixels.encode(mapOf(1, guideOf(2)), labels, output),
      pool.of(nobody).encode(mapOf(1, guideOf(2)), labels, output),
      ownPixels.encode(mapOf(1), labels, output)
    ])
    expect(Buffer.compare(far, near)).toBe(0)
    expect(Buffer.compare(plain, near)).not.toBe(0)
  }
)

test('a refined map is never made on the event loop, however small', async () => {
  const { output } = sessionOptions({ output: { size: 'source', refine: true } }, 'any')
  const small = { width: 140, height: 98 }
  const guide = guideOfRgb(noise(1, small), small)
  const before = pool.numDone
  await pool.of(nobody).encode({ ...mapOf(1, guide), source: small }, labels, output)
  expect(pool.numDone).toBe(before + 1)
})

test.each(['rgb24', 'nv12'] as const)(
  'the guide of a %s is made on another thread, as on this one',
  async (codec) => {
    const pixels = noise(1, source)
    const payload = codec === 'nv12' ? pixels.subarray(0, pixels.length / 2) : pixels
    const frame = frameOf(3, codec, payload, source)
    const withGuide = { ...options, withGuide: true }
    const before = pool.numDone
    const [near, far] = [
      await ownPixels.prepare(frame, withGuide),
      await pool.of(nobody).prepare(frame, withGuide)
    ]
    expect(pool.numDone).toBe(before + 1)
    expect(far.guide).toEqual(near.guide)
    expect(far.guide).toMatchObject(source)
    expect(frame.payload.byteLength).toBe(payload.byteLength)
  }
)

test('maps of many frames at once do not mix', async () => {
  const { output } = sessionOptions({ output: { format: 'f32', size: 'source' } }, 'any')
  const seeds = Array.from({ length: 12 }, (_, i) => i)
  const messages = await Promise.all(seeds.map((seed) => pool.of(nobody).encode(mapOf(seed), labels, output)))
  for (const seed of seeds)
    expect(Buffer.compare(messages[seed]!, await ownPixels.encode(mapOf(seed), labels, output))).toBe(0)
})

test('a map that lies in memory with others leaves them alone', async () => {
  const { output } = sessionOptions({ output: { format: 'f32', size: 'source' } }, 'any')
  const { depth } = mapOf(1)
  const both = new Float32Array(2 * depth.length)
  both.set(depth, depth.length)
  const message = await pool
    .of(nobody)
    .encode({ ...mapOf(1), depth: both.subarray(depth.length) }, labels, output)
  expect(Buffer.compare(message, await ownPixels.encode(mapOf(1), labels, output))).toBe(0)
  expect(both.length).toBe(2 * depth.length)
})

test.each(['jpeg', 'png', 'webp'] as const)(
  'a %s is decoded as on this thread, and stays whole',
  async (codec) => {
    const frame: ValidFrame = frameOf(3, codec, await picture(1, codec))
    const { prepared: near } = await ownPixels.prepare(frame, options)
    const { prepared: far } = await pool.of(nobody).prepare(frame, options)
    expect(far.size).toEqual(near.size)
    expect(far.source).toEqual(source)
    expect(Buffer.compare(far.rgb, near.rgb)).toBe(0)
    expect(frame.payload.byteLength).toBeGreaterThan(0)
  }
)

test('NV12 is converted on another thread as on this one, and stays whole', async () => {
  const nv12 = noise(1, source).subarray(0, (source.width * source.height * 3) / 2)
  const frame = frameOf(3, 'nv12', nv12, source)
  const before = pool.numDone
  const { prepared: near } = await ownPixels.prepare(frame, options)
  const { prepared: far } = await pool.of(nobody).prepare(frame, options)
  expect(pool.numDone).toBe(before + 1)
  expect(far.size).toEqual(near.size)
  expect(Buffer.compare(far.rgb, near.rgb)).toBe(0)
  expect(Buffer.compare(frame.payload, nv12)).toBe(0)
})

test.each([
  ['of the network’s size', size],
  ['to be resized', source]
])('RGB %s does not travel', async (_, of) => {
  const rgb = noise(1, of)
  const before = pool.numDone
  const { prepared } = await pool.of(nobody).prepare(frameOf(1, 'rgb24', rgb, of), options)
  expect(pool.numDone).toBe(before)
  if (of === size) expect(Buffer.compare(prepared.rgb, rgb)).toBe(0)
})

test.each([
  ['is no jpeg', 'jpeg', () => Promise.resolve(Buffer.from('GIF89a...')), 'FRAME_DECODE_FAILED', 'no jpeg'],
  ['is too large', 'png', () => picture(1, 'png'), 'FRAME_TOO_LARGE', '640x448']
] as const)('a picture that %s fails with its own code', async (_, codec, bytes, code, words) => {
  const frame = frameOf(7, codec, await bytes())
  await expect(pool.of(nobody).prepare(frame, { ...options, maxPixels: 200_000 })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(words)
  })
})

test('a pool that is closed twice is closed', async () => {
  const own = new PixelPool()
  await own.of(nobody).prepare(frameOf(1, 'jpeg', await picture(1, 'jpeg')), options)
  await own.close()
  await own.close()
})
