import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { imagesOf, readImages } from '../../src/video/index.ts'
import { collect, temporaryFolder } from './clip-file.ts'

const image = (grey: number, size = { width: 12, height: 8 }) =>
  sharp({ create: { ...size, channels: 3, background: { r: grey, g: grey, b: grey } } })

test('the images of a folder come by the numbers in their names, as large as the first', async () => {
  const folder = await temporaryFolder()
  await image(20).png().toFile(path.join(folder, 'frame2.png'))
  await image(100, { width: 24, height: 16 })
    .webp({ lossless: true })
    .toFile(path.join(folder, 'frame10.webp'))
  await image(10).greyscale().png().toFile(path.join(folder, 'frame1.png'))
  await writeFile(path.join(folder, 'notes.txt'), 'no image')
  const frames = await collect(readImages(await imagesOf(folder), 10))
  expect(frames.map(({ rgb, timestampUs }) => [rgb[0], rgb[2], timestampUs])).toEqual([
    [10, 10, 0],
    [20, 20, 100_000],
    [100, 100, 200_000]
  ])
  for (const { width, height, rgb } of frames) expect([width, height, rgb.byteLength]).toEqual([12, 8, 288])
})

test('a folder without images, and an image that is none, are named', async () => {
  const folder = await temporaryFolder()
  await expect(imagesOf(folder)).rejects.toThrow(/has no image in it; what is read are \.jpg/)
  await writeFile(path.join(folder, 'broken.png'), 'nothing')
  const reading = collect(readImages(await imagesOf(folder), 10))
  await expect(reading).rejects.toThrow(/broken\.png is no image that can be decoded/)
})
