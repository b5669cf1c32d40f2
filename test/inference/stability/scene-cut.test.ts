import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBlank } from '../../../src/inference/stability/blank-frame.ts'
import { frameGrid } from '../../../src/inference/stability/frame-grid.ts'
import type { FrameGrid } from '../../../src/inference/stability/frame-grid.ts'
import { newScene, watchScene } from '../../../src/inference/stability/scene-cut.ts'
import { generateClip, readVideo } from '../../../src/video/index.ts'
import { patches } from '../frames.ts'
import { blobs, relit } from '../pictures.ts'
import type { View } from '../pictures.ts'

const size = { width: 140, height: 98 }
const shot = (seed: number, views: readonly View[]) => views.map((view) => blobs(seed, size, view))
const still = (seed: number, count: number) => new Array<Uint8Array>(count).fill(blobs(seed, size))

/** Places of the frames that begin a scene. */
function cutsOf(frames: readonly Uint8Array[], frameSize = size): number[] {
  return cutsOfGrids(frames.map((rgb) => frameGrid(rgb, frameSize)))
}

function cutsOfGrids(grids: readonly FrameGrid[]): number[] {
  let scene = newScene
  return grids.flatMap((grid, i) => {
    if (isBlank(grid)) return []
    const watched = watchScene(scene, grid)
    scene = watched.scene
    return watched.isCut ? [i] : []
  })
}

test('the first frame of another shot is a cut', () => {
  expect(cutsOf([...still(1, 6), ...still(2, 6), ...still(1, 6)])).toEqual([6, 12])
})

test('pans, zooms and a hand that shakes are no cuts', () => {
  const pan = Array.from({ length: 20 }, (_, i) => ({ right: 15 * i }))
  const zoom = Array.from({ length: 20 }, (_, i) => ({ zoom: 1.04 ** i }))
  const shake = Array.from({ length: 20 }, (_, i) => ({ right: 6 * (i % 2), down: 5 * (i % 3) }))
  for (const views of [pan, zoom, shake]) expect(cutsOf(shot(3, views))).toEqual([])
})

test.each([
  ['bright', (value: number) => value * 1.8 + 20],
  ['white', () => 255],
  ['black', () => 0],
  ['dim', (value: number) => value * 0.25]
])('a flash or dip that leaves the picture %s is no cut, nor is its end', (_, light) => {
  const frames = still(4, 20)
  for (const at of [8, 9]) frames[at] = relit(frames[at]!, light)
  expect(cutsOf(frames)).toEqual([])
})

test('a camera that adapts to the light sees no cut', () => {
  const frames = still(5, 30).map((rgb, i) => relit(rgb, (value) => value * (0.3 + i / 20)))
  expect(cutsOf(frames)).toEqual([])
})

test('a fade through black is a cut where another scene comes out of it, and none where the same does', () => {
  const fadeOut = still(6, 10).map((rgb, i) => relit(rgb, (value) => (value * (9 - i)) / 9))
  const fadeIn = (seed: number) => still(seed, 10).map((rgb, i) => relit(rgb, (value) => (value * i) / 9))
  expect(cutsOf([...still(6, 8), ...fadeOut, ...fadeIn(6)])).toEqual([])
  expect(cutsOf([...still(6, 8), ...fadeOut, ...fadeIn(7)])).toHaveLength(1)
})

test('frames that never resemble each other hold no cuts', () => {
  expect(cutsOf(Array.from({ length: 60 }, (_, seed) => patches(seed, size)))).toEqual([])
})

test('a scene has at least five frames, whatever follows whatever', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 40 }), (seeds) => {
      const cuts = [0, ...cutsOfGrids(seeds.map((seed) => pictures[seed]!))]
      for (const [i, cut] of cuts.entries()) if (i > 0) expect(cut - cuts[i - 1]!).toBeGreaterThanOrEqual(5)
    }),
    { numRuns: 40 }
  )
})
const pictures = [11, 12, 13, 14].map((seed) => frameGrid(blobs(seed, size), size))

test('the walk of the generated clip holds no cut, and a jump to a later part of it one', () => {
  const frames = [...generateClip({ width: 112, height: 84, frames: 60, fps: 10 })].map(({ rgb }) => rgb)
  const small = { width: 112, height: 84 }
  expect(cutsOf(frames, small)).toEqual([])
  expect(cutsOf([...frames.slice(0, 10), ...frames.slice(45)], small)).toEqual([10])
})

const videos = ['Tokyo-Walk_rgb.mp4', 'davis_rollercoaster.mp4'].map((name) =>
  fileURLToPath(new URL(`../../../../shared/data/video/${name}`, import.meta.url))
)

test.skipIf(!videos.every((file) => existsSync(file)))(
  'two real videos cut into each other show just these cuts (needs the shared data)',
  async () => {
    const [street, ride] = await Promise.all(videos.map(gridsOf))
    const parts = [street!.slice(0, 30), ride!.slice(0, 30), street!.slice(60, 90), ride!.slice(40)]
    expect(cutsOfGrids(parts.flat())).toEqual([30, 60, 90])
  }
)

async function gridsOf(videoPath: string): Promise<FrameGrid[]> {
  const videoSize = { width: 350, height: 196 }
  const grids: FrameGrid[] = []
  for await (const { rgb } of readVideo(videoPath, videoSize)) {
    grids.push(frameGrid(rgb, videoSize))
    if (grids.length === 90) break
  }
  return grids
}
