import { identity } from './affine-map.ts'
import type { AffineMap } from './affine-map.ts'

/** Pixels. */
export interface Size {
  width: number
  height: number
}

/** Writes rows of the result, `count` of them from `firstRow` on, into `out` from its beginning. Integers are cut off. */
export type Rows = (firstRow: number, count: number, out: Float32Array | Uint16Array) => void

/** Where the samples of one axis come from: two neighbours and how much of the second. */
export interface Taps {
  first: Int32Array
  second: Int32Array
  weight: Float32Array
}

/** A plane (height x width, row-major) in another size: see `bilinearRows`. The plane itself where it has that size. */
export function resizeBilinear(plane: Float32Array, from: Size, to: Size): Float32Array {
  if (isSame(from, to)) return plane
  const out = new Float32Array(to.width * to.height)
  bilinearRows(plane, from, to)(0, to.height, out)
  return out
}

/**
 * A plane in another size: bilinear, pixel centres aligned (the inverse of how a frame is resized to the network), edges
 * repeated. `line` is applied before interpolation, to the plane's own values. Its rows are stretched at once, those of the
 * result are made as they are asked for.
 */
export function bilinearRows(plane: Float32Array, from: Size, to: Size, affine: AffineMap = identity): Rows {
  if (isSame(from, to))
    return (firstRow, count, out) =>
      mapAffine(plane.subarray(firstRow * to.width, (firstRow + count) * to.width), affine, out)
  const wide = stretchRows(mapped(plane, affine), from, to.width)
  const { first, second, weight } = taps(from.height, to.height)
  return (firstRow, count, out) => {
    for (let row = 0; row < count; row++) {
      const above = first[firstRow + row]! * to.width
      const below = second[firstRow + row]! * to.width
      blendRow(wide, above, below, weight[firstRow + row]!, out, row * to.width, to.width)
    }
  }
}

function isSame(from: Size, to: Size): boolean {
  return from.width === to.width && from.height === to.height
}

export function mapped(values: Float32Array, affine: AffineMap): Float32Array {
  if (affine === identity) return values
  const out = new Float32Array(values.length)
  mapAffine(values, affine, out)
  return out
}

function mapAffine(values: Float32Array, affine: AffineMap, out: Float32Array | Uint16Array): void {
  const { scale, offset, floor, limit } = affine
  for (let i = 0; i < values.length; i++)
    out[i] = Math.max(floor, Math.min(limit, values[i]! * scale + offset))
}

/** The plane's rows as wide as the result's. */
export function stretchRows(plane: Float32Array, from: Size, width: number): Float32Array {
  const { first, second, weight } = taps(from.width, width)
  const out = new Float32Array(from.height * width)
  for (let row = 0; row < from.height; row++) {
    const [source, target] = [row * from.width, row * width]
    for (let i = 0; i < width; i++) {
      const left = plane[source + first[i]!]!
      out[target + i] = left + weight[i]! * (plane[source + second[i]!]! - left)
    }
  }
  return out
}

/** Many arguments, none of them an object: this loop is most of a large map's cost. */
function blendRow(
  wide: Float32Array,
  above: number,
  below: number,
  weight: number,
  out: Float32Array | Uint16Array,
  start: number,
  width: number
): void {
  for (let i = 0; i < width; i++) {
    const top = wide[above + i]!
    out[start + i] = top + weight * (wide[below + i]! - top)
  }
}

export function taps(from: number, to: number): Taps {
  const [first, second, weight] = [new Int32Array(to), new Int32Array(to), new Float32Array(to)]
  for (let i = 0; i < to; i++) {
    const position = Math.max(0, Math.min(from - 1, ((i + 0.5) * from) / to - 0.5))
    first[i] = Math.floor(position)
    second[i] = Math.min(from - 1, Math.floor(position) + 1)
    weight[i] = position - Math.floor(position)
  }
  return { first, second, weight }
}
