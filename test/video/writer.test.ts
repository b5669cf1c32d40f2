import { readdir, readFile, symlink } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
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

test('a picture that is too wide for the encoder is shrunk', async () => {
  const file = path.join(await temporaryFolder(), 'out.mp4')
  const writer = await createVideoWriter(file, { width: 32_768, height: 64, fps: 10 })
  await writer.write(gray(32_768, 64, 100))
  await writer.close()
  expect(await probeVideo(file)).toMatchObject({ width: 16_384, height: 32 })
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

test('each frame is shown at its own time, the last as long as a usual one', async () => {
  const file = path.join(await temporaryFolder(), 'out.mp4')
  const writer = await createVideoWriter(file, { width: 32, height: 32, fps: 10 })
  const times = [5_000_000, 5_005_000, 5_300_000, 5_300_100, 65_000_000]
  for (const timestampUs of times) await writer.write(gray(32, 32, 100), timestampUs)
  await writer.close()
  const read: number[] = []
  for await (const { timestampUs } of readVideo(file)) read.push(timestampUs)
  // An MP4's clock here ticks 90000 times a second.
  expect(read.map((time, i) => Math.abs(time - (times[i]! - 5_000_000)) < 12)).toEqual(read.map(() => true))
  expect(read).toHaveLength(5)
  const entries = ['-show_entries', 'stream=duration', '-of', 'csv=p=0']
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, file])
  expect(Number(stdout)).toBeCloseTo(60.1, 3)
})

test('frames of a known rate need no times', async () => {
  const file = path.join(await temporaryFolder(), 'out.mp4')
  const writer = await createVideoWriter(file, { width: 32, height: 32, fps: 30_000 / 1001 })
  for (let i = 0; i < 30; i++) await writer.write(gray(32, 32, i))
  await writer.close()
  expect((await probeVideo(file)).fps).toBeCloseTo(30_000 / 1001, 3)
})

test('an encoder that fails while a frame waits for room is quoted, and waiting leaves no listeners', async () => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'out.mp4')
  await symlink('/dev/full', `${file}.part`)
  const writer = await createVideoWriter(file, { width: 1280, height: 720, fps: 10 })
  const warned = vi.fn()
  process.on('warning', warned)
  onTestFinished(() => void process.off('warning', warned))
  const noise = Uint8Array.from({ length: 1280 * 720 * 3 }, (_, i) => (i * i * 31 + (i >> 7)) % 256)
  const writing = (async () => {
    for (let i = 0; i < 30; i++) await writer.write(noise)
    await writer.close()
  })()
  await expect(writing).rejects.toMatchObject({
    code: 'ENOSPC',
    message: expect.stringMatching(/could not write out\.mp4 .*No space left on device/) as string
  })
  await writer.abort()
  expect(warned).not.toHaveBeenCalled()
})

test.each([1, 2, 5])('a full disk is not missed when all of %i frames is written last', async (frames) => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'out.mp4')
  await symlink('/dev/full', `${file}.part`)
  const writer = await createVideoWriter(file, { width: 32, height: 32, fps: 10 })
  for (let i = 0; i < frames; i++) await writer.write(gray(32, 32, i))
  await expect(writer.close()).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(await readdir(folder)).toEqual([])
})

test('an encoder that cannot begin is quoted under back-pressure too', async () => {
  const file = path.join(await temporaryFolder(), 'absent', 'out.mp4')
  const writer = await createVideoWriter(file, { width: 1920, height: 1080, fps: 10 })
  const writing = (async () => {
    for (let i = 0; i < 30; i++) await writer.write(gray(1920, 1080, i))
  })()
  await expect(writing).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('No such file or directory') as string
  })
})
