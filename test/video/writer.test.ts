import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createVideoWriter, probeVideo, readVideo } from '../../src/video/index.ts'
import { run, temporaryFolder } from './clip-file.ts'

function gray(width: number, height: number, value: number): Uint8Array {
  return new Uint8Array(width * height * 3).fill(value)
}

test('what was written is read again: frames, size, rate and colour', async () => {
  const file = path.join(await temporaryFolder(), 'out.mp4')
  const writer = await createVideoWriter(file, { width: 64, height: 48, fps: 24 })
  for (const value of [20, 120, 220]) await writer.write(gray(64, 48, value))
  await writer.close()
  expect(await probeVideo(file)).toEqual({ width: 64, height: 48, fps: 24, frameCount: 3 })
  const means: number[] = []
  for await (const { rgb } of readVideo(file))
    means.push(rgb.reduce((sum, value) => sum + value, 0) / rgb.length)
  expect(means.map((mean, i) => Math.abs(mean - [20, 120, 220][i]!) < 3)).toEqual([true, true, true])
})

test('browsers can play it: H.264, yuv420p, index before the data', async () => {
  const file = path.join(await temporaryFolder(), 'out.mp4')
  const writer = await createVideoWriter(file, { width: 32, height: 32, fps: 10 })
  await writer.write(gray(32, 32, 100))
  await writer.close()
  const entries = 'stream=codec_name,pix_fmt,color_space'
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', file])
  expect(stdout.trim()).toBe('h264,yuv420p,bt709')
  const bytes = await readFile(file)
  expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
})

test('an odd size gains a column and a row', async () => {
  const file = path.join(await temporaryFolder(), 'out.mp4')
  const writer = await createVideoWriter(file, { width: 31, height: 17, fps: 10 })
  await writer.write(gray(31, 17, 100))
  await writer.close()
  expect(await probeVideo(file)).toMatchObject({ width: 32, height: 18 })
})

test('aborting leaves nothing behind, and closing afterwards does no harm', async () => {
  const folder = await temporaryFolder()
  const writer = await createVideoWriter(path.join(folder, 'out.mp4'), { width: 32, height: 32, fps: 10 })
  await writer.write(gray(32, 32, 100))
  await writer.abort()
  await writer.abort()
  await writer.close()
  expect(await readdir(folder)).toEqual([])
})

test('aborting after closing keeps the file', async () => {
  const folder = await temporaryFolder()
  const writer = await createVideoWriter(path.join(folder, 'out.mp4'), { width: 32, height: 32, fps: 10 })
  await writer.write(gray(32, 32, 100))
  await writer.close()
  await writer.abort()
  expect(await readdir(folder)).toEqual(['out.mp4'])
})

test('a folder that does not exist is named by the encoder’s own words', async () => {
  const file = path.join(await temporaryFolder(), 'absent', 'out.mp4')
  const writer = await createVideoWriter(file, { width: 64, height: 64, fps: 10 })
  const writing = (async () => {
    await writer.write(gray(64, 64, 100))
    await writer.close()
  })()
  await expect(writing).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringMatching(/out\.mp4.*No such file or directory/) as string
  })
})
