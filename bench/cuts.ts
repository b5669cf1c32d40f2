/**
 * How well scene cuts are found, and what looking for them and holding depth steady cost: `npm run bench cuts`. Films are
 * cut together, by a fixed seed, from shots of the generated clip and of the videos named in LEADLINE_BENCH_VIDEOS
 * (separated by `:`), played at full, half and quarter rate, with flashes, blackouts and fast pans thrown in.
 */
import { isBlank } from '../src/inference/stability/blank-frame.ts'
import { corrected, stabilize } from '../src/inference/stability/depth-stabilizer.ts'
import type { StabilizerState } from '../src/inference/stability/depth-stabilizer.ts'
import { depthOfCells, frameGrid } from '../src/inference/stability/frame-grid.ts'
import { newScene, watchScene } from '../src/inference/stability/scene-cut.ts'
import { steadyRange } from '../src/inference/stability/steady-range.ts'
import type { SteadyRange } from '../src/inference/stability/steady-range.ts'
import { generateClip, readVideo } from '../src/video/index.ts'
import { percentile, report } from './report.ts'

const size = { width: 350, height: 196 }
const filmFrames = 150
const films = 12
const rates = [1, 2, 4]

interface FilmFrame {
  rgb: Uint8Array
  isCut: boolean
}

let seed = 5
/** In [0, 1); the same numbers in every run. */
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}
const between = (from: number, to: number) => from + Math.floor(random() * (to - from + 1))

/** Takes of one continuous picture each: parts of the generated walk and of the videos. */
async function readTakes(): Promise<Uint8Array[][]> {
  const walk = [...generateClip({ ...size, frames: 120, fps: 12 })].map(({ rgb }) => rgb)
  const takes = [walk.slice(0, 50), walk.slice(70)]
  for (const videoPath of (process.env['LEADLINE_BENCH_VIDEOS'] ?? '').split(':').filter(Boolean)) {
    const frames: Uint8Array[] = []
    for await (const { rgb } of readVideo(videoPath, size)) frames.push(rgb)
    takes.push(
      ...[0, 1, 2].map((third) =>
        frames.slice((third * frames.length) / 3, ((third + 0.8) * frames.length) / 3)
      )
    )
  }
  return takes
}

function film(takes: readonly Uint8Array[][], rate: number): FilmFrame[] {
  const frames: FilmFrame[] = []
  let last = -1
  while (frames.length < filmFrames) {
    let take = last
    while (take === last) take = between(0, takes.length - 1)
    last = take
    frames.push(...shot(takes[take] ?? [], rate, frames.length > 0))
  }
  return frames
}

function shot(take: readonly Uint8Array[], rate: number, isCut: boolean): FilmFrame[] {
  const length = Math.min(between(8, 40), Math.floor(take.length / rate))
  const start = between(0, take.length - length * rate)
  const frames = Array.from({ length }, (_, i) => ({
    rgb: take[start + i * rate] ?? new Uint8Array(),
    isCut: isCut && i === 0
  }))
  const struck = frames[between(1, length - 1)]
  if (struck && random() < 0.5) struck.rgb = relit(struck.rgb, between(0, 3))
  const end = frames.at(-1)
  return end && random() < 0.2 ? [...frames, ...pan(end.rgb, between(8, 40))] : frames
}

/** A flash, a white-out, a dip, a spotlight. */
function relit(rgb: Uint8Array, kind: number): Uint8Array {
  const [middleX, middleY] = [size.width / 2, size.height / 2]
  return Uint8Array.from(rgb, (value, i) => {
    if (kind === 1) return 255
    if (kind === 2) return value * 0.3
    const pixel = Math.floor(i / 3)
    const away =
      ((pixel % size.width) - middleX) ** 2 / 150 ** 2 +
      (Math.floor(pixel / size.width) - middleY) ** 2 / 120 ** 2
    const spot = kind === 0 ? 1 : Math.exp(-away)
    return Math.min(255, value * (1 + 1.2 * spot) + 30 * spot)
  })
}

/** The picture swept sideways, mirrored where it ends. */
function pan(rgb: Uint8Array, step: number): FilmFrame[] {
  return [1, 2, 3, 4, 5].map((count) => {
    const moved = new Uint8Array(rgb.length)
    for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
      const x = (pixel % size.width) + Math.min(count * step, size.width - 1)
      const from = pixel - (pixel % size.width) + (x < size.width ? x : 2 * size.width - 1 - x)
      moved.set(rgb.subarray(from * 3, from * 3 + 3), pixel * 3)
    }
    return { rgb: moved, isCut: false }
  })
}

function countCuts(frames: readonly FilmFrame[]): { found: number; missed: number; wrong: number } {
  const counts = { found: 0, missed: 0, wrong: 0 }
  let scene = newScene
  for (const { rgb, isCut } of frames) {
    const grid = frameGrid(rgb, size)
    const watched = isBlank(grid) ? { scene, isCut: false } : watchScene(scene, grid)
    scene = watched.scene
    if (isCut) counts[watched.isCut ? 'found' : 'missed']++
    else if (watched.isCut) counts.wrong++
  }
  return counts
}

function reportCuts(takes: readonly Uint8Array[][], rate: number): void {
  const total = { found: 0, missed: 0, wrong: 0 }
  for (let i = 0; i < films; i++) {
    const { found, missed, wrong } = countCuts(film(takes, rate))
    total.found += found
    total.missed += missed
    total.wrong += wrong
  }
  const cuts = total.found + total.missed
  const of = `every frame of ${rate}, ${cuts} cuts in ${films * filmFrames} frames of ${takes.length} takes`
  report({
    name: `scene cuts, precision (${of})`,
    value: total.found / (total.found + total.wrong),
    unit: ''
  })
  report({ name: `scene cuts, recall (${of})`, value: total.found / cuts, unit: '' })
}

/**
 * Over a take, undisturbed by others on the machine: a tenth of the frames were faster. The picture's luma serves as its
 * depth, since its values do not matter here.
 */
function reportTimes(take: readonly Uint8Array[]): void {
  const timesMs = {
    grid: [],
    'blank frame': [],
    'scene cut': [],
    stabiliser: [],
    'steady range': []
  } as Record<string, number[]>
  const timed = <T>(name: string, work: () => T): T => {
    const startedMs = performance.now()
    const result = work()
    timesMs[name]?.push(performance.now() - startedMs)
    return result
  }
  let [scene, stabilizer, range]: [typeof newScene, StabilizerState | null, SteadyRange | null] = [
    newScene,
    null,
    null
  ]
  for (const rgb of [...take, ...take, ...take]) {
    const depth = Float32Array.from({ length: size.width * size.height }, (_, i) => rgb[i * 3] ?? 0)
    const grid = timed('grid', () => frameGrid(rgb, size))
    timed('blank frame', () => isBlank(grid))
    scene = timed('scene cut', () => watchScene(scene, grid)).scene
    const steadied = timed('stabiliser', () => {
      stabilizer = stabilize(stabilizer, grid, depthOfCells(depth, size, grid))
      return corrected(depth, stabilizer.correction)
    })
    range = timed('steady range', () => steadyRange(range, steadied))
  }
  for (const [name, times] of Object.entries(timesMs))
    report({
      name: `${name}, per frame of ${size.width}x${size.height}`,
      value: percentile(times, 0.1),
      unit: 'ms'
    })
}

const takes = await readTakes()
for (const rate of rates) reportCuts(takes, rate)
reportTimes(takes[0] ?? [])
