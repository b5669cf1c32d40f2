import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { heicRemedy, imageSignature } from '../../../src/wire/image-signature.ts'
import type { Codec } from '../../../src/wire/frame.ts'
import { prepareFrame } from '../../../src/inference/pixels/preprocess.ts'
import { frameOf } from '../frames.ts'

const options = {
  rule: { multiple: 14, lowerBound: 28, maxArea: 6272 },
  maxPixels: 4_000_000,
  withGuide: false
}
const prepare = async (codec: Codec, payload: Uint8Array) =>
  (await prepareFrame(frameOf(3, codec, payload, { width: 0, height: 0 }), options)).prepared
const run = promisify(execFile)

/** The start of a file in the HEIF container, by its brands. */
function heif(major: string, ...compatible: string[]): Buffer {
  const box = Buffer.alloc(16 + 4 * compatible.length)
  box.writeUInt32BE(box.length)
  box.write(`ftyp${major}`, 4)
  compatible.forEach((brand, i) => box.write(brand, 16 + 4 * i))
  return Buffer.concat([box, Buffer.alloc(64)])
}

test.each([
  ['avif', heif('avif', 'avif', 'mif1')],
  ['avif', heif('mif1', 'miaf', 'avif')],
  ['avif', heif('avis', 'msf1')],
  ['heic', heif('heic', 'mif1', 'heic')],
  ['heic', heif('mif1', 'mif1', 'heic')],
  ['heic', heif('msf1', 'hevc')],
  [null, heif('isom', 'mp41')],
  [null, Buffer.from('ftyp')],
  ['tiff', Buffer.from('MM\0*', 'latin1')],
  [null, Buffer.alloc(0)]
] as const)('an image is known as %s by its first bytes', (format, bytes) => {
  expect(imageSignature(bytes)).toBe(format)
})

test.each(['gif', 'webp'] as const)('of an animated %s the first picture counts', async (codec) => {
  const shape = { width: 64, height: 32, channels: 3 as const }
  const pages = ['red', 'lime', 'blue'].map((background) => ({ create: { ...shape, background } }))
  const animated = sharp(await Promise.all(pages.map((page) => sharp(page).png().toBuffer())), {
    join: { animated: true }
  })
  const { rgb, source } = await prepare(codec, await animated[codec]({ delay: [10, 10, 10] }).toBuffer())
  expect(source).toEqual({ width: 64, height: 32 })
  expect([...rgb.subarray(0, 3)].map((value) => value > 128)).toEqual([true, false, false])
})

test('a HEIC is refused with what to do instead', async () => {
  await expect(prepare('avif', heif('heic'))).rejects.toMatchObject({
    code: 'FRAME_DECODE_FAILED',
    message: heicRemedy
  })
})

test('a JPEG that lost a restart marker, or all between two, is an error', async () => {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240', '-frames:v', '1']
  const encode = ['-c:v', 'mjpeg', '-slices', '8', '-f', 'image2pipe', '-']
  const { stdout } = await run('ffmpeg', ['-v', 'error', ...source, ...encode], { encoding: 'buffer' })
  const markers = [...stdout.keys()].filter(
    (i) => stdout[i] === 0xff && stdout[i + 1]! >= 0xd0 && stdout[i + 1]! <= 0xd7
  )
  const [first = 0, second = 0] = markers.slice(2)
  expect(second).toBeGreaterThan(first)
  await prepare('jpeg', stdout)
  for (const end of [first + 2, second]) {
    const torn = Buffer.concat([stdout.subarray(0, first), stdout.subarray(end)])
    await expect(prepare('jpeg', torn)).rejects.toMatchObject({ code: 'FRAME_DECODE_FAILED' })
  }
})

test('bytes that a camera leaves after the picture do no harm', async () => {
  const create = { width: 60, height: 30, channels: 3 as const, background: 'red' }
  const whole = await sharp({ create }).jpeg().toBuffer()
  const padded = [
    Buffer.concat([whole, Buffer.alloc(100)]),
    Buffer.concat([whole.subarray(0, -2), Buffer.alloc(8), whole.subarray(-2)])
  ]
  for (const bytes of padded) expect((await prepare('jpeg', bytes)).source).toEqual({ width: 60, height: 30 })
})
