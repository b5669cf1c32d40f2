import type { Size } from './resolution.ts'

/** Where the samples of one axis come from: two neighbours and how much of the second. */
interface Taps {
  first: Int32Array
  second: Int32Array
  weight: Float32Array
}

/**
 * Bilinear, pixel centres aligned (the inverse of how the frame was resized to the network), edges repeated.
 * Built once for a map, then asked for rows: a large map is made in slices.
 */
export function bilinearRows(
  depth: Float32Array,
  from: Size,
  to: Size
): (firstRow: number, rows: number) => Float32Array {
  if (from.width === to.width && from.height === to.height) {
    return (firstRow, rows) => depth.subarray(firstRow * to.width, (firstRow + rows) * to.width)
  }
  const x = taps(from.width, to.width)
  const y = taps(from.height, to.height)
  return (firstRow, rows) => {
    const out = new Float32Array(rows * to.width)
    for (let row = 0; row < rows; row++) {
      const above = (y.first[firstRow + row] ?? 0) * from.width
      const below = (y.second[firstRow + row] ?? 0) * from.width
      blendRow(depth, above, below, y.weight[firstRow + row] ?? 0, x, out.subarray(row * to.width))
    }
    return out
  }
}

function blendRow(
  depth: Float32Array,
  above: number,
  below: number,
  down: number,
  { first, second, weight }: Taps,
  out: Float32Array
): void {
  for (let i = 0; i < first.length; i++) {
    const left = first[i] ?? 0
    const right = second[i] ?? 0
    const across = weight[i] ?? 0
    const top = mix(depth[above + left] ?? 0, depth[above + right] ?? 0, across)
    const bottom = mix(depth[below + left] ?? 0, depth[below + right] ?? 0, across)
    out[i] = mix(top, bottom, down)
  }
}

function mix(a: number, b: number, weight: number): number {
  return a + weight * (b - a)
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
