import type { FrameGrid } from './frame-grid.ts'
import type { Size } from '../pixels/resolution.ts'

/**
 * What a frame shows, whatever the light: luma against its neighbourhood, in that neighbourhood's own deviations, for
 * cells twice as wide as the grid's.
 */
export interface Pattern extends Size {
  values: Float32Array
}

/** Cells to each side of a cell that are its neighbourhood. */
const radius = 3
/** Luma; keeps the noise of a smooth wall from looking like a pattern. */
const noiseLuma = 3
/** Of each side, how far the camera may have swung between two frames of one scene. */
const reachShare = 1 / 4

export function patternOf(grid: FrameGrid): Pattern {
  const halved = halve(grid)
  const { width, height, luma } = halved
  const values = new Float32Array(luma.length)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const { mean, deviation } = neighbourhood(halved, x, y)
      values[i] = ((luma[i] ?? 0) - mean) / (deviation + noiseLuma)
    }
  }
  return { width, height, values }
}

/**
 * 0: the same pattern, perhaps shifted; 1: nothing in common. Measured on short clips: frames that follow each other stay
 * below 0.4, unless the camera is thrown about; cuts are above 0.5 (`bench/cuts.ts`).
 */
export function pictureChange(before: Pattern, now: Pattern): number {
  const [reachX, reachY] = [Math.floor(now.width * reachShare), Math.floor(now.height * reachShare)]
  let likeness = -1
  for (let down = -reachY; down <= reachY; down++) {
    for (let right = -reachX; right <= reachX; right++)
      likeness = Math.max(likeness, correlation(before, now, right, down))
  }
  return 1 - likeness
}

/** Of what both show when `now` is shifted; 0 where one of them is flat. */
function correlation(before: Pattern, now: Pattern, right: number, down: number): number {
  const { width, height } = now
  const [left, end] = [Math.max(0, -right), width - Math.max(0, right)]
  const [top, bottom] = [Math.max(0, -down), height - Math.max(0, down)]
  let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0]
  for (let y = top; y < bottom; y++) {
    const thenRow = (y + down) * width + right
    for (let x = left; x < end; x++) {
      const then = before.values[thenRow + x] ?? 0
      const here = now.values[y * width + x] ?? 0
      a += then
      b += here
      aa += then * then
      bb += here * here
      ab += then * here
    }
  }
  const count = Math.max(1, (end - left) * (bottom - top))
  const variances = (aa - (a * a) / count) * (bb - (b * b) / count)
  return variances > 1e-12 ? (ab - (a * b) / count) / Math.sqrt(variances) : 0
}

/** Means of two by two cells. */
function halve(grid: FrameGrid): Omit<FrameGrid, 'cell'> {
  const [width, height] = [Math.max(1, grid.width >> 1), Math.max(1, grid.height >> 1)]
  const luma = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 2 * y * grid.width + 2 * x
      const [next, below] = [grid.width > 1 ? 1 : 0, grid.height > 1 ? grid.width : 0]
      const upper = (grid.luma[at] ?? 0) + (grid.luma[at + next] ?? 0)
      const lower = (grid.luma[at + below] ?? 0) + (grid.luma[at + below + next] ?? 0)
      luma[y * width + x] = (upper + lower) / 4
    }
  }
  return { width, height, luma }
}

/** Of the cells around one, those outside the picture taken as its edge. */
function neighbourhood(
  { width, height, luma }: Omit<FrameGrid, 'cell'>,
  x: number,
  y: number
): { mean: number; deviation: number } {
  let sum = 0
  let squares = 0
  for (let row = y - radius; row <= y + radius; row++) {
    const start = Math.max(0, Math.min(height - 1, row)) * width
    for (let column = x - radius; column <= x + radius; column++) {
      const value = luma[start + Math.max(0, Math.min(width - 1, column))] ?? 0
      sum += value
      squares += value * value
    }
  }
  const count = (2 * radius + 1) ** 2
  const mean = sum / count
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) }
}
