import sharp from 'sharp'
import { expect, test } from 'vitest'
import { isBlank, structureOf } from '../../../src/inference/stability/blank-frame.ts'
import { frameGrid } from '../../../src/inference/stability/frame-grid.ts'
import { prepareRgb } from '../../../src/inference/pixels/preprocess.ts'
import type { Size } from '../../../src/inference/pixels/resolution.ts'
import { generateClip } from '../../../src/video/index.ts'
import { relit, sensorNoise } from '../pictures.ts'

const source = { width: 640, height: 360 }
const rule = { multiple: 14, lowerBound: 196, maxArea: 280 * 924 }

/** As a session sees it. */
async function blankAt(rgb: Uint8Array, size: Size = source): Promise<boolean> {
  const prepared = await prepareRgb(rgb, size, rule)
  return isBlank(frameGrid(prepared.rgb, prepared.size))
}

/** Through a camera's compression. */
async function compressed(rgb: Uint8Array, size: Size = source): Promise<Uint8Array> {
  const jpeg = await sharp(rgb, { raw: { ...size, channels: 3 } })
    .jpeg({ quality: 30 })
    .toBuffer()
  return sharp(jpeg).raw().toBuffer()
}

/** Luma by place, 0 to 1 across and down. */
function shaded(luma: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: source.width * source.height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    return luma((pixel % source.width) / source.width, Math.floor(pixel / source.width) / source.height)
  })
}

const walk = [...generateClip({ ...source, frames: 4, fps: 0.5 })].map(({ rgb }) => rgb)
/** With noise about 128 added. */
const grained = (rgb: Uint8Array, grain: Uint8Array) =>
  rgb.map((value, i) => Math.max(0, Math.min(255, value + grain[i]! - 128)))
/** Exposure values to what a value of gamma 2.2 is multiplied by. */
const exposed = (ev: number) => (value: number) => value * 2 ** (ev / 2.2)

test.each([
  ['black', () => 0],
  ['a decoder’s grey', () => 128],
  ['white', () => 255],
  ['a slope', (x: number) => 255 * x],
  [
    'a white wall, darker in the corners',
    (x: number, y: number) => 200 - 150 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
  ],
  ['a lens cap that leaks light', (x: number, y: number) => 80 * Math.exp(-(x ** 2 + y ** 2) * 8)]
])('%s is blank, also when it was compressed', async (_, luma) => {
  const rgb = shaded(luma)
  expect(await blankAt(rgb)).toBe(true)
  expect(await blankAt(await compressed(rgb))).toBe(true)
})

test.each([
  [0, 2],
  [0, 10],
  [0, 40],
  [10, 4],
  [128, 20],
  [128, 100]
])('noise is blank however strong: about %i, deviation %i', async (level, deviation) => {
  for (const size of [source, { width: 320, height: 180 }, { width: 1280, height: 720 }]) {
    const rgb = sensorNoise(level + deviation, size, { level, deviation })
    expect(await blankAt(rgb, size), `${size.width} pixels wide`).toBe(true)
    expect(await blankAt(await compressed(rgb, size), size), `${size.width} wide, compressed`).toBe(true)
  }
})

test.each([0, -2, -4, -6])(
  'a scene in the light of %i EV is none, with a sensor’s noise upon it either',
  async (ev) => {
    for (const [i, rgb] of walk.entries()) {
      const dark = relit(rgb, exposed(ev))
      const grain = sensorNoise(i, source, { level: 128, deviation: 4 })
      expect(await blankAt(dark)).toBe(false)
      expect(await blankAt(await compressed(grained(dark, grain)))).toBe(false)
    }
  }
)

test('a fade from black is blank at its beginning only', async () => {
  for (const rgb of walk) {
    const faded = [0, 0.5, 1, 2, 3, 6, 12].map((step) => relit(rgb, (value) => (value * step) / 12))
    const blank = await Promise.all(faded.map((frame) => blankAt(frame)))
    expect(blank).toEqual([true, true, true, false, false, false, false])
  }
})

test('neither light nor noise changes how much structure is found', () => {
  const small = { width: 350, height: 196 }
  const rgb = generateClip({ ...small, frames: 1, fps: 1 }).next().value!.rgb
  const plain = structureOf(frameGrid(rgb, small))
  const lit = structureOf(
    frameGrid(
      relit(rgb, (value) => value * 0.5 + 60),
      small
    )
  )
  expect(lit.luma / plain.luma).toBeCloseTo(0.5, 1)
  expect(lit.share).toBeCloseTo(plain.share, 1)
  const grain = sensorNoise(3, small, { level: 128, deviation: 20 })
  const noisy = structureOf(frameGrid(grained(rgb, grain), small))
  expect(noisy.luma / plain.luma).toBeCloseTo(1, 1)
})
