import { readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import sharp from 'sharp'
import { PictureDecoder } from '../../../src/inference/pixels/decoding/picture-decoder.ts'
import type { PictureDecoderOptions } from '../../../src/inference/pixels/decoding/picture-decoder.ts'
import { ownPixels } from '../../../src/inference/pixels/pixel-work.ts'
import { frameOf, noise } from '../frames.ts'

const source = { width: 640, height: 448 }
const options = {
  rule: { multiple: 14, lowerBound: 98, maxArea: 100_000 },
  maxPixels: 200_000_000,
  withGuide: false
}

let shared: PictureDecoder
beforeAll(() => {
  process.env['LEADLINE_TEST_SECRET'] = 'lk_secret'
  shared = new PictureDecoder()
})
afterAll(() => shared.close())

/** Of its own, which has decoded something. */
async function decoderWith(given: PictureDecoderOptions): Promise<PictureDecoder> {
  const decoder = new PictureDecoder(given)
  onTestFinished(() => decoder.close())
  await decoder.decode(await jpeg(0), options)
  return decoder
}

async function jpeg(seq: number, size = source) {
  const picture = sharp(noise(seq, size), { raw: { ...size, channels: 3 } })
  return frameOf(seq, 'jpeg', await picture.jpeg().toBuffer())
}

test.each(['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const)(
  'a %s and its guide are what they are on this thread',
  async (format) => {
    const size = { width: 160, height: 112 }
    const picture = sharp(noise(1, size), { raw: { ...size, channels: 3 } })
    const frame = frameOf(1, format, await picture.toFormat(format).toBuffer())
    const withGuide = { ...options, withGuide: true }
    const [far, near] = [await shared.decode(frame, withGuide), await ownPixels.prepare(frame, withGuide)]
    expect(Buffer.compare(far.prepared.rgb, near.prepared.rgb)).toBe(0)
    expect(Buffer.compare(far.guide!.luma, near.guide!.luma)).toBe(0)
    const told = ({ prepared, guide }: typeof far) => ({ ...prepared, ...guide, rgb: null, luma: null })
    expect(told(far)).toEqual(told(near))
  }
)

test('an image that ends its decoder costs that image and no other', async () => {
  const decoder = await decoderWith({})
  const [pid] = decoder.pids as [number]
  process.kill(pid, 'SIGSTOP')
  const deadly = decoder.decode(await jpeg(7), options)
  const next = [await jpeg(8), await jpeg(9)].map((frame) => decoder.decode(frame, options))
  // A stopped process meets a signal when it goes on.
  process.kill(pid, 'SIGSEGV')
  process.kill(pid, 'SIGCONT')
  await expect(deadly).rejects.toMatchObject({
    code: 'FRAME_DECODE_FAILED',
    message: expect.stringMatching(/^Frame 7 as jpeg: its decoder ended with SIGSEGV/)
  })
  for (const decoded of await Promise.all(next)) expect(decoded.prepared.source).toEqual(source)
  expect(decoder.pids).not.toContain(pid)
})

test('a decoder that dies between two images is replaced', async () => {
  const decoder = await decoderWith({})
  const [pid] = decoder.pids as [number]
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => decoder.pids).not.toContain(pid)
  expect((await decoder.decode(await jpeg(1), options)).prepared.source).toEqual(source)
})

test('an image that takes too long ends with its decoder', async () => {
  const decoder = await decoderWith({ workMs: 1000 })
  process.kill(decoder.pids[0]!, 'SIGSTOP')
  await expect(decoder.decode(await jpeg(7), options)).rejects.toMatchObject({
    code: 'FRAME_DECODE_FAILED',
    message: 'Frame 7 as jpeg: its decoder took longer than 1000 ms'
  })
})

test('an image that wants more memory than a decoder may have fails alone', async () => {
  const decoder = await decoderWith({ dataKib: 600 * 2 ** 10 })
  const bomb = frameOf(7, 'png', lyingPng({ width: 12_000, height: 12_000 }))
  await expect(decoder.decode(bomb, options)).rejects.toMatchObject({ code: 'FRAME_DECODE_FAILED' })
  expect((await decoder.decode(await jpeg(8), options)).prepared.source).toEqual(source)
})

/** 16 bits, with alpha and interlaced, so that it is held as a whole: 1.1 GB, of which the file has nothing. */
function lyingPng({ width, height }: { width: number; height: number }): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([16, 6, 0, 0, 1], 8)
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const nothing = Buffer.from('789c030000000001', 'hex')
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', nothing),
    chunk('IEND', Buffer.alloc(0))
  ])
}

test('an image that takes long has a decoder of its own, and live frames do not wait for it', async () => {
  const decoder = await decoderWith({ laneMs: 1 })
  const large = { width: 1280, height: 720 }
  const [usual] = decoder.pids
  expect((await decoder.decode(await jpeg(1, large), options)).prepared.source).toEqual(large)
  const other = decoder.pids.find((pid) => pid !== usual)!
  process.kill(other, 'SIGSTOP')
  const waiting = decoder.decode(await jpeg(2, large), options)
  expect((await decoder.decode(await jpeg(3), options)).prepared.source).toEqual(source)
  process.kill(other, 'SIGCONT')
  expect((await waiting).prepared.source).toEqual(large)
})

test('what is larger than any image may be is refused by its head', async () => {
  const frame = await jpeg(7, { width: 1280, height: 720 })
  await expect(shared.decode(frame, { ...options, maxPixels: 900_000 })).rejects.toMatchObject({
    code: 'FRAME_TOO_LARGE',
    message: expect.stringContaining('at most 900000 pixels')
  })
})

test('a decoder knows no secret of the server', async () => {
  await shared.decode(await jpeg(1), options)
  const known = await readFile(`/proc/${shared.pids[0]}/environ`, 'latin1')
  expect(known).toContain('PATH=')
  expect(known).not.toContain('LEADLINE')
})
