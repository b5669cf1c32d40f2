import type { FrameGrid } from './frame-grid.ts'

/** How much a frame shows, told apart from noise, light and shade. Plain data. */
export interface Structure {
  /** Luma: deviation that neighbouring cells share. Noise has none, however strong it is. */
  luma: number
  /** The shared part of all deviation, 0 to 1. */
  share: number
}

/** Cells to each side of a cell that are its neighbourhood: what changes more slowly is light and shade. */
const radius = 3
/**
 * Luma. Measured of real and generated video: 14 and more, through 4 EV of dark 4.0, through 6 EV 2.1. Black, white, grey,
 * slopes of light, a covered lens with a leak: 0.6 and less.
 */
const minLuma = 1.5
/** Measured of noise with so much luma: 0.13 and less; of gravel, the most like it of all that was tried: 0.18. */
const minShare = 0.15

/**
 * Whether a frame shows nothing: black, white, flat, shaded or mere noise. A network makes depth of it all the same, and
 * that depth, once in a memory, turns what follows inside out (docs/decisions/0015-blank-frames-leave-no-trace.md).
 */
export function isBlank(grid: FrameGrid): boolean {
  const { luma, share } = structureOf(grid)
  return luma < minLuma || share < minShare
}

export function structureOf(grid: FrameGrid): Structure {
  const { width, height } = grid
  const detail = detailOf(grid)
  let [squares, products, pairs] = [0, 0, 0]
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const value = detail[at] ?? 0
      squares += value * value
      if (x + 1 < width) {
        products += value * (detail[at + 1] ?? 0)
        pairs++
      }
      if (y + 1 < height) {
        products += value * (detail[at + width] ?? 0)
        pairs++
      }
    }
  }
  const variance = squares / Math.max(1, detail.length)
  const shared = Math.max(0, products / Math.max(1, pairs))
  return { luma: Math.sqrt(shared), share: variance > 0 ? Math.min(1, shared / variance) : 0 }
}

/** Each cell less the mean of its neighbourhood, which reaches equally far to both sides: a slope leaves nothing. */
function detailOf({ width, height, luma }: FrameGrid): Float32Array {
  const sums = summed(luma, width, height)
  const detail = new Float32Array(luma.length)
  for (let y = 0, at = 0; y < height; y++) {
    const down = Math.min(radius, y, height - 1 - y)
    for (let x = 0; x < width; x++, at++) {
      const across = Math.min(radius, x, width - 1 - x)
      const [top, bottom] = [(y - down) * (width + 1), (y + down + 1) * (width + 1)]
      const [left, right] = [x - across, x + across + 1]
      const sum = sums[bottom + right]! - sums[bottom + left]! - sums[top + right]! + sums[top + left]!
      detail[at] = (luma[at] ?? 0) - sum / ((2 * down + 1) * (2 * across + 1))
    }
  }
  return detail
}

/** Sums of all cells above and to the left, with a row and a column of zeros before them. */
function summed(luma: Float32Array, width: number, height: number): Float64Array {
  const sums = new Float64Array((width + 1) * (height + 1))
  for (let y = 0; y < height; y++) {
    let row = 0
    for (let x = 0; x < width; x++) {
      row += luma[y * width + x] ?? 0
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1]! + row
    }
  }
  return sums
}
