import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { probeVideo, readVideo } from '../../src/video/index.ts'
import { collect, makeClip, run, temporaryFolder } from './clip-file.ts'

/** What ffprobe says of each frame, in microseconds. */
async function probedTimes(file: string): Promise<number[]> {
  const entries = ['-show_entries', 'frame=best_effort_timestamp_time', '-of', 'json']
  const { stdout } = await run('ffprobe', ['-v', 'quiet', '-select_streams', 'v:0', ...entries, file])
  const { frames } = JSON.parse(stdout) as { frames: { best_effort_timestamp_time: string }[] }
  return frames.map((frame) => Math.round(Number(frame.best_effort_timestamp_time) * 1e6))
}

/** 2.97 s as a browser records them: 30 frames of uneven length, no rate and no duration in the file. */
const recorded = ['-vf', "setpts='(N*99+mod(N*37,50))/1000/TB'", '-fps_mode', 'passthrough', '-live', '1']

test.each([
  ['a browser’s recording', 'a.webm', [...recorded, '-c:v', 'libvpx', '-deadline', 'realtime']],
  ['a rate that is no whole number', 'a.mp4', ['-r', '30000/1001']],
  ['a beginning that is not 0', 'a.mp4', ['-output_ts_offset', '5']],
  ['a transport stream', 'a.ts', ['-c:v', 'mpeg2video']],
  ['an animation', 'a.gif', ['-vf', "setpts='if(gt(N,6),N*10-54,N)/10/TB'", '-fps_mode', 'passthrough']]
])('each frame of %s has the time that ffprobe says', async (_what, name, args) => {
  const clip = await makeClip(path.join(await temporaryFolder(), name), 30, args)
  const frames = await collect(readVideo(clip))
  expect(frames.map((frame) => frame.timestampUs)).toEqual(await probedTimes(clip))
})

test('a rate that no camera has is not believed', async () => {
  const ticks = await makeClip(path.join(await temporaryFolder(), 'a.mp4'), 30, ['-r', '1000'])
  expect((await probeVideo(ticks)).fps).toBeNull()
})

test('two frames at one time are both read, one right after the other, and nothing is wrong with them', async () => {
  const doubled = ['-vf', "setpts='floor(N/2)*2/12/TB'", '-fps_mode', 'passthrough', '-c:v', 'rawvideo']
  const clip = await makeClip(path.join(await temporaryFolder(), 'a.nut'), 4, doubled)
  const warnings = vi.fn()
  const frames = await collect(readVideo(clip, undefined, warnings))
  expect(frames.map((frame) => frame.timestampUs)).toEqual([0, 100, 166_667, 166_767])
  expect(warnings).toHaveBeenCalledExactlyOnceWith([])
})

test('a recording whose size changes is read on, at the size it began with', async () => {
  const folder = await temporaryFolder()
  const live = ['-c:v', 'libvpx', '-deadline', 'realtime']
  const [small, large] = [path.join(folder, 'small.ivf'), path.join(folder, 'large.ivf')]
  await makeClip(small, 5, live)
  await makeClip(large, 5, ['-vf', 'scale=192:128', '-output_ts_offset', '10', ...live])
  const clip = path.join(folder, 'both.ivf')
  // The first 32 bytes describe the file, and the rest are its frames.
  await writeFile(clip, Buffer.concat([await readFile(small), (await readFile(large)).subarray(32)]))
  const frames = await collect(readVideo(clip))
  expect(frames.map(({ width, height }) => [width, height])).toEqual(
    Array.from({ length: 10 }, () => [96, 64])
  )
  expect(frames.map((frame) => frame.timestampUs)).toEqual(await probedTimes(clip))
})
