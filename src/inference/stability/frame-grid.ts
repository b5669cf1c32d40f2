import type { Size } from '../pixels/resolution.ts'

/** A frame seen from afar: one number for each square cell of it, row by row. What does not fill a cell is left out. */
export interface FrameGrid extends Size {
  /** Side of a cell, in pixels of the network's frame. */
  cell: number
  /** Mean luma of each cell, 0 to 255. */
  luma: Float32Array
}

/** Cells along the shorter side: what moves by a pixel still shows, and a whole frame is looked at in microseconds. */
const shortSideCells = 28

/** Samples along a side of a cell, at most; more tell nothing new. */
const maxSamples = 4

/** The cells of a frame, without what they show. */
export function gridSize(size: Size): Omit<FrameGrid, 'luma'> {
  const cell = Math.max(1, Math.floor(Math.min(size.width, size.height) / shortSideCells))
  return { cell, width: Math.floor(size.width / cell), height: Math.floor(size.height / cell) }
}

export function frameGrid(rgb: Uint8Array, size: Size): FrameGrid {
  const { cell, width, height } = gridSize(size)
  const stride = strideOf(cell)
  const luma = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0
      let count = 0
      for (let row = y * cell; row < (y + 1) * cell; row += stride) {
        const start = row * size.width + x * cell
        for (let at = start * 3; at < (start + cell) * 3; at += stride * 3) {
          sum += 299 * (rgb[at] ?? 0) + 587 * (rgb[at + 1] ?? 0) + 114 * (rgb[at + 2] ?? 0)
          count += 1000
        }
      }
      luma[y * width + x] = sum / count
    }
  }
  return { cell, width, height, luma }
}

/** Mean depth of each cell of `grid`; `depth` has the size of the frame that the grid was made of. */
export function depthOfCells(
  depth: Float32Array,
  size: Size,
  { cell, width, height }: Omit<FrameGrid, 'luma'>
): Float32Array {
  const stride = strideOf(cell)
  const means = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0
      let count = 0
      for (let row = y * cell; row < (y + 1) * cell; row += stride) {
        const start = row * size.width + x * cell
        for (let at = start; at < start + cell; at += stride) {
          sum += depth[at] ?? 0
          count++
        }
      }
      means[y * width + x] = sum / count
    }
  }
  return means
}

function strideOf(cell: number): number {
  return Math.ceil(cell / maxSamples)
}
