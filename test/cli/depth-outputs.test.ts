import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { DepthOutput } from '../../src/cli/depth-outputs.ts'
import { checkFolderOf, DepthOutputs } from '../../src/cli/depth-outputs.ts'
import type { DepthResult } from '../../src/client/index.ts'
import type { Header, Quantity } from '../../src/wire/frame.ts'
import { probeVideo, readVideo } from '../../src/video/index.ts'
import { doublesOfNpz } from '../helpers/clip-requests.ts'
import { temporaryFolder } from '../video/clip-file.ts'

const rgb = new Uint8Array(32 * 16 * 3).fill(128)
/** The one with this number, at 10 a second. */
const frame = (seq: number) => ({ width: 32, height: 16, rgb, timestampUs: seq * 100_000 })

/** A depth map of 8x4 with one value everywhere, to be shown on a range from 0 to 1. */
function result(seq: number, value: number, quantity: Quantity = 'relative-inverse-depth'): DepthResult {
  const values = new Float32Array(32).fill(value)
  const header: Header = {
    ...{ kind: 2, flags: 0, seq, timestampUs: 0, epoch: 0, codec: 'raw', dtype: 'f32', width: 8, height: 4 },
    ...{ scale: 1, offset: 0, rangeMin: 0, rangeMax: 1, quantity },
    ...{ queueUs: 0, computeUs: 0 }
  }
  return {
    type: 'result',
    seq,
    latencyMs: 1,
    header,
    payload: new Uint8Array(values.buffer),
    isBlank: false,
    values: () => values
  }
}

function outputsTo(outputs: readonly DepthOutput[]): DepthOutputs {
  return new DepthOutputs({ outputs, fps: 10, colormap: 'turbo', camera: { fovDegrees: 60 } })
}

test('a frame without depth shows the last one again, so that the video keeps its length', async () => {
  const folder = await temporaryFolder()
  const paths = ['d.mp4', 's.mp4', 'h.mp4', 'd.npz'].map((name) => path.join(folder, name))
  const [depth = '', sideBySide = '', half = '', npz = ''] = paths
  const videos = outputsTo([
    { name: 'depth.mp4', path: depth },
    { name: 'side-by-side.mp4', path: sideBySide },
    { name: 'side-by-side-half.mp4', path: half },
    { name: 'npz', path: npz }
  ])
  await videos.write(frame(0), null)
  await videos.write(frame(1), result(1, 0))
  await videos.write(frame(2), null)
  await videos.write(frame(3), result(3, 1))
  await videos.close()
  await videos.abort()
  expect(await probeVideo(depth)).toEqual({ width: 32, height: 16, fps: 10, frameCount: 3 })
  expect(await probeVideo(sideBySide)).toEqual({ width: 64, height: 16, fps: 10, frameCount: 3 })
  expect(await probeVideo(half)).toEqual({ width: 32, height: 16, fps: 10, frameCount: 3 })
  // Numbers have the frames that have depth, and say when they were.
  expect([...doublesOfNpz(await readFile(npz), 'times')]).toEqual([0.1, 0.3])
  const reds: number[] = []
  for await (const { rgb } of readVideo(depth)) reds.push(rgb[0] ?? -1)
  // Turbo begins in dark blue and ends in dark red; the encoder may miss by a little.
  expect(reds.map((red) => red > 90)).toEqual([false, false, true])
})

test('of metres, the smallest are the brightest', async () => {
  const folder = await temporaryFolder()
  const depth = path.join(folder, 'd.mp4')
  const videos = outputsTo([{ name: 'depth.mp4', path: depth }])
  await videos.write(frame(0), result(0, 0, 'metric-depth'))
  await videos.write(frame(1), result(1, 1, 'metric-depth'))
  await videos.close()
  const reds: number[] = []
  for await (const { rgb } of readVideo(depth)) reds.push(rgb[0] ?? -1)
  expect(reds.map((red) => red > 90)).toEqual([true, false])
})

test('no file is written where none was asked for, and aborting leaves none', async () => {
  const folder = await temporaryFolder()
  const none = outputsTo([])
  await none.write(frame(0), result(0, 1))
  await none.close()
  const aborted = outputsTo([{ name: 'depth.mp4', path: path.join(folder, 'd.mp4') }])
  await aborted.write(frame(0), result(0, 1))
  await aborted.abort()
  expect(await readdir(folder)).toEqual([])
})

test('a file in a folder that does not exist is refused beforehand', async () => {
  const folder = await temporaryFolder()
  await checkFolderOf(path.join(folder, 'out.mp4'))
  await expect(checkFolderOf(path.join(folder, 'absent', 'out.mp4'))).rejects.toMatchObject({
    code: 'REQUEST_INVALID'
  })
})
