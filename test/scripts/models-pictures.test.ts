import path from 'node:path'
import { pino } from 'pino'
import sharp from 'sharp'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Moment } from '../../scripts/models-pictures/clip.ts'
import { showMoments, spread, videoClip } from '../../scripts/models-pictures/clip.ts'
import { drawSheet } from '../../scripts/models-pictures/sheet.ts'
import { withModel } from '../../src/cli/eval/evaluate.ts'
import { serviceConfig } from '../../src/cli/service-options.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'

test.each([
  [24, 4, [3, 9, 15, 21]],
  [5, 4, [0, 1, 3, 4]],
  [2, 4, [0, 1]]
])('of %i frames %i are shown, evenly spread', (total, count, numbers) => {
  expect(spread(total, count)).toEqual(numbers)
})

/** A grey frame of 20 x 10 whose depth rises from left to right. */
function moment(index: number, hasTruth: boolean): Moment {
  const values = Float32Array.from({ length: 200 }, (_, i) => (i % 20) + 1)
  const truth = values.map((value) => (value < 6 ? 0 : value))
  const size = { width: 20, height: 10 }
  return {
    index,
    frame: { rgb: new Uint8Array(600).fill(128), ...size },
    depth: { values, ...size },
    truth: hasTruth ? { values: truth, ...size } : null
  }
}

test('a sheet has a column per moment, and a row for the truth where there is one', async () => {
  const without = await drawSheet([0, 1, 2, 3].map((index) => moment(index, false)))
  expect(without.rows).toEqual(['frame', 'depth'])
  expect(await sharp(without.jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 960, height: 240 })
  const { rows, jpeg } = await drawSheet([0, 1, 2, 3].map((index) => moment(index, true)))
  expect(rows).toEqual(['frame', 'depth', 'true depth'])
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height]).toEqual([960, 360])
  const pixel = (x: number, y: number) => [...data.subarray(3 * (y * 960 + x), 3 * (y * 960 + x) + 3)]
  const near = (found: number[], wanted: number[]) =>
    found.forEach((value, i) => expect(Math.abs(value - (wanted[i] ?? NaN))).toBeLessThan(12))
  near(pixel(100, 60), [128, 128, 128])
  // Unknown is black; the nearest is the red end of the colours.
  near(pixel(20, 300), [0, 0, 0])
  expect(pixel(236, 300)[0]).toBeGreaterThan(100)
  expect(pixel(236, 300)[2]).toBeLessThan(30)
})

test('every frame of a video is run, and those shown are kept with their depth', async () => {
  vi.stubEnv('LEADLINE_EXECUTOR', 'fake')
  onTestFinished(() => void vi.unstubAllEnvs())
  const file = await makeClip(path.join(await temporaryFolder(), 'street.mp4'), 7)
  const clip = await videoClip(file)
  expect([clip.name, clip.frameCount]).toEqual(['street', 7])
  const moments = await withModel(serviceConfig({}), pino({ level: 'silent' }), (run) =>
    showMoments(clip, { ...run, options: { mode: 'ovda', cacheSize: null } }, 3)
  )
  expect(moments.map(({ index }) => index)).toEqual([1, 3, 5])
  for (const { frame, depth, truth } of moments) {
    expect([frame.width, frame.height, truth]).toEqual([96, 64, null])
    expect(depth.values).toHaveLength(depth.width * depth.height)
    expect(depth.values.length).toBeGreaterThan(0)
  }
})
