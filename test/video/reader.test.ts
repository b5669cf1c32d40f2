import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { VideoWarning } from '../../src/video/index.ts'
import { probeVideo, readVideo } from '../../src/video/index.ts'
import { collect, makeClip, run, temporaryFolder } from './clip-file.ts'

test('a clip tells its size, rate and number of frames', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mp4'), 7)
  expect(await probeVideo(clip)).toEqual({ width: 96, height: 64, fps: 12, frameCount: 7 })
})

test('every frame comes once, in order, and holds the picture that ffmpeg shows', async () => {
  const folder = await temporaryFolder()
  const clip = await makeClip(path.join(folder, 'a.mp4'), 7)
  const frames = await collect(readVideo(clip))
  expect(frames.map(({ width, height, rgb }) => [width, height, rgb.byteLength])).toEqual(
    Array.from({ length: 7 }, () => [96, 64, 96 * 64 * 3])
  )
  const raw = path.join(folder, 'raw')
  const sameScaler = ['-vf', 'scale=96:64:flags=bicubic+accurate_rnd+full_chroma_int']
  await run('ffmpeg', ['-v', 'error', '-i', clip, ...sameScaler, '-pix_fmt', 'rgb24', '-f', 'rawvideo', raw])
  expect(Buffer.concat(frames.map((frame) => frame.rgb)).equals(await readFile(raw))).toBe(true)
})

test('uneven time stamps double and lose no frame', async () => {
  const uneven = ['-vf', "setpts='if(gt(N,3),N+20,N)/12/TB'", '-fps_mode', 'passthrough']
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mkv'), 9, uneven)
  expect((await probeVideo(clip)).frameCount).toBeNull()
  expect(await collect(readVideo(clip))).toHaveLength(9)
})

test('a rotated clip comes upright', async () => {
  const folder = await temporaryFolder()
  const flat = await makeClip(path.join(folder, 'flat.mp4'), 3)
  const turned = path.join(folder, 'turned.mp4')
  await run('ffmpeg', ['-v', 'error', '-i', flat, '-c', 'copy', '-metadata:s:v', 'rotate=90', turned])
  expect(await probeVideo(turned)).toMatchObject({ width: 64, height: 96 })
  const frames = await collect(readVideo(turned))
  expect(frames.map(({ width, height }) => [width, height])).toEqual(
    Array.from({ length: 3 }, () => [64, 96])
  )
})

test('frames come in the size that was asked for', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.webm'), 3)
  const frames = await collect(readVideo(clip, { width: 28, height: 14 }))
  expect(frames.map((frame) => frame.rgb.byteLength)).toEqual([1176, 1176, 1176])
})

test('leaving the loop early ends ffmpeg', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mp4'), 400)
  const reader = readVideo(clip, { width: 1920, height: 1080 })
  expect((await reader.next()).done).toBe(false)
  await reader.return(undefined)
  const { stdout } = await run('ps', ['-eo', 'args'])
  expect(stdout.split('\n').filter((line) => line.startsWith('ffmpeg') && line.includes(clip))).toEqual([])
})

test.each([
  ['text', Buffer.from('this is no video')],
  ['nothing', Buffer.alloc(0)],
  ['a playlist that names another file', Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n')]
])('a file with %s in it is refused', async (_what, bytes) => {
  const file = path.join(await temporaryFolder(), 'bad.mp4')
  await writeFile(file, bytes)
  await expect(collect(readVideo(file))).rejects.toMatchObject({ code: 'CLIP_INVALID' })
})

test('a file that is not there is refused by its name, without its folder', async () => {
  const folder = await temporaryFolder()
  const reading = collect(readVideo(path.join(folder, 'absent.mp4')))
  await expect(reading).rejects.toMatchObject({
    code: 'CLIP_INVALID',
    message: expect.stringMatching(/^absent\.mp4 is not .*No such file or directory$/) as string
  })
  await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining(folder) as string })
})

test('sound without a picture is refused', async () => {
  const file = path.join(await temporaryFolder(), 'sound.mp4')
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=duration=0.2', file])
  await expect(probeVideo(file)).rejects.toMatchObject({
    code: 'CLIP_INVALID',
    message: expect.stringContaining('no video track') as string
  })
})

test('the cover of a song is no video, and one in front of a video is passed over', async () => {
  const folder = await temporaryFolder()
  const cover = path.join(folder, 'cover.jpg')
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=32x32', '-frames:v', '1', cover])
  const song = path.join(folder, 'song.m4a')
  const tone = ['-f', 'lavfi', '-i', 'sine=duration=0.2']
  const attached = ['-c:v', 'copy', '-disposition:v:0', 'attached_pic']
  await run('ffmpeg', ['-v', 'error', ...tone, '-i', cover, '-map', '0', '-map', '1', ...attached, song])
  await expect(probeVideo(song)).rejects.toMatchObject({ code: 'CLIP_INVALID' })
  const clip = await makeClip(path.join(folder, 'a.mp4'), 3)
  const film = path.join(folder, 'film.mp4')
  await run('ffmpeg', [
    '-v',
    'error',
    '-i',
    cover,
    '-i',
    clip,
    '-map',
    '0',
    '-map',
    '1',
    '-c',
    'copy',
    ...attached,
    film
  ])
  expect(await probeVideo(film)).toMatchObject({ width: 96, height: 64 })
  expect(await collect(readVideo(film))).toHaveLength(3)
})

test('a file that is cut short gives the frames that are in it, and says how many there should be', async () => {
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.mp4'), 60, [
    '-g',
    '5',
    '-movflags',
    '+faststart'
  ])
  await truncate(clip, Math.round((await stat(clip)).size * 0.6))
  const warnings = vi.fn<(found: VideoWarning[]) => void>()
  const { length: count } = await collect(readVideo(clip, undefined, warnings))
  expect(count).toBeGreaterThan(0)
  expect(count).toBeLessThan(60)
  expect(warnings.mock.lastCall?.[0].at(-1)).toEqual({
    firstFrame: count - 1,
    lastFrame: count - 1,
    detail: `the file is cut short or damaged: ${count} of 60 frames could be read`
  })
})

test('without ffmpeg the error says how to install it', async () => {
  vi.stubEnv('PATH', await temporaryFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(probeVideo('any.mp4')).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: expect.stringContaining('apt-get install ffmpeg') as string
  })
})
