import type { Size } from './resolution.ts'

/** Rows of a map, `count` of them from `firstRow` on, row-major. */
export type RowSource = (firstRow: number, count: number) => Float32Array

/** Where the samples of one axis come from: two neighbours and how much of the second. */
interface Taps {
  first: Int32Array
  second: Int32Array
  weight: Float32Array
}

/**
 * A map in another size: bilinear, pixel centres aligned (the inverse of how the frame was resized to the network), edges
 * repeated. The network's rows are stretched at once, rows of the result are then made as they are asked for.
 */
export function bilinearRows(depth: Float32Array, from: Size, to: Size): RowSource {
  if (from.width === to.width && from.height === to.height) {
    return (firstRow, count) => depth.subarray(firstRow * to.width, (firstRow + count) * to.width)
  }
  const wide = stretchRows(depth, from, to.width)
  const { first, second, weight } = taps(from.height, to.height)
  return (firstRow, count) => {
    const out = new Float32Array(count * to.width)
    for (let row = 0; row < count; row++) {
      const above = (first[firstRow + row] ?? 0) * to.width
      const below = (second[firstRow + row] ?? 0) * to.width
      blendRow(
        wide,
        above,
        below,
        weight[firstRow + row] ?? 0,
        out.subarray(row * to.width, (row + 1) * to.width)
      )
    }
    return out
  }
}

function stretchRows(depth: Float32Array, from: Size, width: number): Float32Array {
  const { first, second, weight } = taps(from.width, width)
  const out = new Float32Array(from.height * width)
  for (let row = 0; row < from.height; row++) {
    const start = row * from.width
    for (let i = 0; i < width; i++) {
      const left = depth[start + (first[i] ?? 0)] ?? 0
      const right = depth[start + (second[i] ?? 0)] ?? 0
      out[row * width + i] = left + (weight[i] ?? 0) * (right - left)
    }
  }
  return out
}

function blendRow(wide: Float32Array, above: number, below: number, weight: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) {
    const top = wide[above + i] ?? 0
    out[i] = top + weight * ((wide[below + i] ?? 0) - top)
  }
}

function taps(from: number, to: number): Taps {
  const [first, second, weight] = [new Int32Array(to), new Int32Array(to), new Float32Array(to)]
  for (let i = 0; i < to; i++) {
    const position = Math.max(0, Math.min(from - 1, ((i + 0.5) * from) / to - 0.5))
    first[i] = Math.floor(position)
    second[i] = Math.min(from - 1, Math.floor(position) + 1)
    weight[i] = position - Math.floor(position)
  }
  return { first, second, weight }
}
