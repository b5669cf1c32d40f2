import { expect, test } from 'vitest'
import { ppmPictures } from '../../../src/video/live/ppm-pictures.ts'
import { collect } from '../clip-file.ts'

const ppm = (width: number, height: number, value: number): Buffer =>
  Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), Buffer.alloc(width * height * 3, value)])

async function* cut(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

test.each([1, 2, 7, 11, 64, 10_000])('pictures come whole from pieces of %d bytes', async (pieceBytes) => {
  const stream = Buffer.concat([ppm(3, 2, 10), ppm(5, 4, 0x20), ppm(3, 2, 48)])
  const pictures = await collect(ppmPictures(cut(stream, pieceBytes)))
  expect(pictures).toEqual([
    { width: 3, height: 2, rgb: new Uint8Array(18).fill(10) },
    { width: 5, height: 4, rgb: new Uint8Array(60).fill(0x20) },
    { width: 3, height: 2, rgb: new Uint8Array(18).fill(48) }
  ])
})

test('what is cut short is left out, and what is no picture is said', async () => {
  const short = ppm(3, 2, 1).subarray(0, 20)
  expect(await collect(ppmPictures(cut(short, 5)))).toEqual([])
  await expect(collect(ppmPictures(cut(Buffer.alloc(40, 65), 8)))).rejects.toThrow(/no picture begins/)
})
