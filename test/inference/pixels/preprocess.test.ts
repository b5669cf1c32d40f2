import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import sharp from 'sharp'
import type { Codec } from '../../../src/wire/frame.ts'
import { prepareFrame } from '../../../src/inference/pixels/preprocess.ts'
import { frameOf, noise } from '../frames.ts'

const options = {
  rule: { multiple: 14, lowerBound: 28, maxArea: 6272 },
  maxPixels: 4_000_000,
  withGuide: false
}
const prepare = async (
  codec: Codec,
  payload: Uint8Array,
  size = { width: 0, height: 0 },
  withGuide = false
) => {
  const { prepared, guide } = await prepareFrame(frameOf(3, codec, payload, size), { ...options, withGuide })
  return { ...prepared, guide }
}

/** Left half red, right half blue. */
function redBlue(width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) rgb[i * 3 + (i % width < width / 2 ? 0 : 2)] = 255
  return rgb
}

function pixel(rgb: Uint8Array, width: number, x: number, y: number): number[] {
  return [...rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]
}

function expectNear(found: number[], wanted: number[], tolerance: number): void {
  const worst = Math.max(...found.map((value, i) => Math.abs(value - (wanted[i] ?? NaN))))
  expect(worst, `${found} against ${wanted}`).toBeLessThanOrEqual(tolerance)
}

test.each(['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const)(
  '%s is decoded, resized and keeps left and right',
  async (codec) => {
    const raw = { width: 320, height: 160, channels: 3 as const }
    const payload = await sharp(redBlue(320, 160), { raw }).toFormat(codec).toBuffer()
    const { rgb, size, source } = await prepare(codec, payload)
    expect({ size, source, bytes: rgb.byteLength }).toEqual({
      size: { width: 56, height: 28 },
      source: { width: 320, height: 160 },
      bytes: 56 * 28 * 3
    })
    expectNear(pixel(rgb, 56, 5, 14), [255, 0, 0], 6)
    expectNear(pixel(rgb, 56, 50, 14), [0, 0, 255], 6)
  }
)

test('rgb24 at network size reaches the network bit for bit', async () => {
  const size = { width: 56, height: 28 }
  const pixels = noise(1, size)
  expect((await prepare('rgb24', pixels, size)).rgb).toEqual(pixels)
})

test('rgb24 of another size is resized', async () => {
  const { rgb, size } = await prepare('rgb24', redBlue(560, 280), { width: 560, height: 280 })
  expect(size).toEqual({ width: 56, height: 28 })
  expectNear(pixel(rgb, 56, 5, 5), [255, 0, 0], 1)
})

/** One colour in NV12. */
function nv12([y, u, v]: number[], width: number, height: number): Uint8Array {
  const bytes = new Uint8Array((width * height * 3) / 2).fill(y ?? 0, 0, width * height)
  for (let i = width * height; i < bytes.length; i += 2) bytes.set([u ?? 0, v ?? 0], i)
  return bytes
}

/** Code values of the colour bars: BT.601 in standard definition, BT.709 above it. */
test.each([
  ['BT.601 white', [235, 128, 128], 56, 28, [255, 255, 255]],
  ['BT.601 black', [16, 128, 128], 56, 28, [0, 0, 0]],
  ['BT.601 red', [81, 90, 240], 56, 28, [255, 0, 0]],
  ['BT.601 green', [145, 54, 34], 56, 28, [0, 255, 0]],
  ['BT.601 blue, resized', [41, 240, 110], 560, 280, [0, 0, 255]],
  ['BT.709 red', [63, 102, 240], 1280, 720, [255, 0, 0]],
  ['BT.709 green', [173, 42, 26], 1280, 720, [0, 255, 0]],
  ['BT.709 blue', [32, 240, 118], 1280, 720, [0, 0, 255]],
  ['BT.709 green, wide', [173, 42, 26], 1280, 536, [0, 255, 0]],
  ['BT.709 green, upright', [173, 42, 26], 406, 720, [0, 255, 0]],
  ['BT.601 green, PAL', [145, 54, 34], 720, 576, [0, 255, 0]]
])('nv12: %s', async (_, yuv, width, height, wanted) => {
  const { rgb } = await prepare('nv12', nv12(yuv, width, height), { width, height })
  expectNear([...rgb.subarray(0, 3)], wanted, 2)
  expectNear([...rgb.subarray(-3)], wanted, 2)
})

test('nv12 keeps luma and chroma where they are', async () => {
  const bytes = nv12([81, 90, 240], 112, 56)
  for (let row = 0; row < 56; row++) bytes.fill(41, row * 112 + 56, row * 112 + 112)
  for (let row = 0; row < 28; row++) {
    for (let x = 28; x < 56; x++) bytes.set([240, 110], 112 * 56 + row * 112 + x * 2)
  }
  const { rgb } = await prepare('nv12', bytes, { width: 112, height: 56 })
  expectNear(pixel(rgb, 56, 4, 20), [255, 0, 0], 3)
  expectNear(pixel(rgb, 56, 51, 20), [0, 0, 255], 3)
})

test('EXIF rotation is honoured: the source is as it is shown', async () => {
  const raw = { width: 160, height: 80, channels: 3 as const }
  const payload = await sharp(redBlue(160, 80), { raw }).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  const { rgb, size, source } = await prepare('jpeg', payload)
  expect({ size, source }).toEqual({ size: { width: 28, height: 56 }, source: { width: 80, height: 160 } })
  expectNear(pixel(rgb, 28, 14, 4), [255, 0, 0], 6)
  expectNear(pixel(rgb, 28, 14, 51), [0, 0, 255], 6)
})

test('alpha is dropped and leaves the colour as it is', async () => {
  const create = {
    width: 60,
    height: 30,
    channels: 4 as const,
    background: { r: 200, g: 100, b: 50, alpha: 0.2 }
  }
  const { rgb } = await prepare('png', await sharp({ create }).png().toBuffer())
  expectNear([...rgb.subarray(0, 3)], [200, 100, 50], 1)
})

test('grey, 16-bit and CMYK images become RGB', async () => {
  const create = { width: 60, height: 30, channels: 3 as const, background: { r: 120, g: 120, b: 120 } }
  const grey = await sharp({ create }).toColourspace('b-w').jpeg().toBuffer()
  const deep = await sharp({ create }).toColourspace('grey16').png().toBuffer()
  const cmyk = await sharp({ create }).toColourspace('cmyk').jpeg().toBuffer()
  for (const [codec, payload, tolerance] of [
    ['jpeg', grey, 1],
    ['png', deep, 1],
    ['jpeg', cmyk, 16]
  ] as const) {
    const { rgb, size } = await prepare(codec, payload)
    expect(rgb.byteLength).toBe(size.width * size.height * 3)
    expectNear([...rgb.subarray(0, 3)], [120, 120, 120], tolerance)
  }
})

test('a JPEG that ends early is an error, not half a picture', async () => {
  const raw = { width: 320, height: 160, channels: 3 as const }
  const whole = await sharp(noise(2, raw), { raw }).jpeg().toBuffer()
  await expect(prepare('jpeg', whole.subarray(0, whole.length / 2))).rejects.toMatchObject({
    code: 'FRAME_DECODE_FAILED',
    message: expect.stringContaining('Frame 3 as jpeg')
  })
})

/** A PNG of a few bytes that claims to be large. */
function pngClaiming(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', Buffer.alloc(20)),
    chunk('IEND', Buffer.alloc(0))
  ])
}

test.each([
  ['a bomb', 20_000, 20_000],
  ['a side that no header can hold', 70_000, 50]
])('%s is refused by its header, before any pixel is made', async (_, width, height) => {
  await expect(prepare('png', pngClaiming(width, height))).rejects.toMatchObject({
    code: 'FRAME_TOO_LARGE',
    message: expect.stringContaining(`${width}x${height}`)
  })
})

test('what is not of its codec never reaches a decoder', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
  const raw = { width: 28, height: 28, channels: 3 as const }
  const png = await sharp(noise(3, raw), { raw }).png().toBuffer()
  for (const payload of [svg, png, Buffer.from([1])]) {
    await expect(prepare('jpeg', payload)).rejects.toMatchObject({ code: 'FRAME_DECODE_FAILED' })
  }
})

describe('a guide', () => {
  const source = { width: 320, height: 160 }
  const raw = { ...source, channels: 3 as const }
  const pixels = redBlue(source.width, source.height)

  test.each(['jpeg', 'png', 'webp', 'gif'] as const)(
    'of a %s is as large and bright as the picture',
    async (codec) => {
      const payload = await sharp(pixels, { raw }).toFormat(codec).toBuffer()
      const { guide } = await prepare(codec, payload, undefined, true)
      expect(guide).toMatchObject({ ...source, contrast: 255 })
      const { luma } = guide ?? expect.fail()
      expectNear([luma[10 * 320 + 20]!, luma[150 * 320 + 300]!], [76, 28], 4)
    }
  )

  test('lies as the picture is shown, and takes no notice of what shows through', async () => {
    const turned = await sharp(pixels, { raw }).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const { guide, source: shown } = await prepare('jpeg', turned, undefined, true)
    expect(guide).toMatchObject({ width: 160, height: 320 })
    expect(shown).toEqual({ width: 160, height: 320 })
    expectNear([guide!.luma[20 * 160 + 10]!, guide!.luma[300 * 160 + 150]!], [76, 28], 4)
    const clear = await sharp(pixels, { raw }).ensureAlpha(0).png().toBuffer()
    const seen = await prepare('png', clear, undefined, true)
    expectNear([seen.guide!.luma[0]!], [76], 1)
  })

  test('of NV12 is its luma, of limited range, in memory of its own', async () => {
    const frame = nv12([100, 128, 128], 320, 160)
    const { guide } = await prepare('nv12', frame, source, true)
    expect(guide).toEqual({ luma: new Uint8Array(320 * 160).fill(100), contrast: 219, ...source })
    expect(guide!.luma.buffer.byteLength).toBe(320 * 160)
  })

  test.each(['jpeg', 'rgb24', 'nv12'] as const)(
    'changes nothing of what the network sees: %s',
    async (codec) => {
      const bytes = codec === 'nv12' ? pixels.subarray(0, pixels.length / 2) : pixels
      const payload = codec === 'jpeg' ? await sharp(pixels, { raw }).jpeg().toBuffer() : bytes
      const [without, withOne] = [
        await prepare(codec, payload, source),
        await prepare(codec, payload, source, true)
      ]
      expect(without.guide).toBeNull()
      expect(withOne).toMatchObject({ size: without.size, source: without.source })
      expect(Buffer.compare(withOne.rgb, without.rgb)).toBe(0)
    }
  )
})
