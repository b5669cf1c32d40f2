import type { AffineMap } from './affine-map.ts'
import { bilinearRows, mapped, stretchRows, taps } from './bilinear.ts'
import type { Rows, Size } from './bilinear.ts'
import { shrunkGuide } from './guide.ts'
import type { Guide } from './guide.ts'
import { windowExtremes, windowMeans } from './window-filters.ts'

/** Pixels of the plane to each side of a window. It and the two below were measured: docs/decisions/0026-edges-from-the-picture.md. */
const radius = 3
/** Variance of luma below which a window counts as flat: that of a hundredth of white. */
const epsilon = 1e-4
/** Mean square that a window's line may be off by and still count in full, of the plane's range squared. */
const tolerance = 5e-4

/**
 * A plane as large as its guide, with edges where the guide has them. In each window of the plane, value = slope * luma +
 * base is fitted by least squares; every pixel follows the mean of the lines of the windows that it lies in, which are
 * found at the plane's size and applied to all of the guide (He and Sun, "Fast Guided Filter", arXiv 1505.00745). The
 * better a line fits, the more it counts: an edge that the guide does not show would be blurred otherwise ("Weighted
 * aggregation for guided image filtering", doi 10.1007/s11760-019-01579-1). No value leaves the range of the plane's own
 * around it. `line` is applied to the plane first. A guide smaller than the plane has nothing to add to it.
 */
export function guidedRows(plane: Float32Array, from: Size, guide: Guide, affine: AffineMap): Rows {
  if (guide.width < from.width || guide.height < from.height) return bilinearRows(plane, from, guide, affine)
  const values = mapped(plane, affine)
  const { slopes, bases } = guideLines(values, from, guide)
  const { min, max } = windowExtremes(values, from, radius)
  const { width, luma } = guide
  const [slope, base, least, most] = [slopes, bases, min, max].map((coarse) =>
    stretchRows(coarse, from, width)
  )
  const { first, second, weight } = taps(from.height, guide.height)
  return (firstRow, count, out) => {
    for (let row = firstRow; row < firstRow + count; row++) {
      const [above, below] = [first[row]! * width, second[row]! * width]
      const lumaRow = luma.subarray(row * width, (row + 1) * width)
      guidedRow(
        lumaRow,
        slope!,
        base!,
        least!,
        most!,
        above,
        below,
        weight[row]!,
        out,
        (row - firstRow) * width
      )
    }
  }
}

/** Many arguments, none of them an object, as in `bilinearRows`. */
function guidedRow(
  luma: Uint8Array,
  slope: Float32Array,
  base: Float32Array,
  least: Float32Array,
  most: Float32Array,
  above: number,
  below: number,
  weight: number,
  out: Float32Array | Uint16Array,
  start: number
): void {
  for (let i = 0; i < luma.length; i++) {
    const [top, bottom] = [above + i, below + i]
    const a = slope[top]! + weight * (slope[bottom]! - slope[top]!)
    const b = base[top]! + weight * (base[bottom]! - base[top]!)
    const min = least[top]! + weight * (least[bottom]! - least[top]!)
    const max = most[top]! + weight * (most[bottom]! - most[top]!)
    out[start + i] = Math.max(min, Math.min(max, a * luma[i]! + b))
  }
}

/** The line of each pixel of the plane: value = slope * luma + base, luma as the guide has it. */
function guideLines(
  values: Float32Array,
  size: Size,
  guide: Guide
): { slopes: Float32Array; bases: Float32Array } {
  const means = (plane: Float32Array) => windowMeans(plane, size, radius)
  const { unit, min, range } = inUnits(values)
  const luma = shrunkGuide(guide, size)
  const [x, y] = [means(luma), means(unit)]
  const [xx, yy, xy] = [product(luma, luma), product(unit, unit), product(luma, unit)].map(means)
  const [weights, slopes, bases] = [newPlane(values), newPlane(values), newPlane(values)]
  for (let i = 0; i < values.length; i++) {
    const variance = xx![i]! - x[i]! * x[i]!
    const covariance = xy![i]! - x[i]! * y[i]!
    const slope = covariance / (variance + epsilon)
    const error = yy![i]! - y[i]! * y[i]! - slope * (2 * covariance - slope * variance)
    const missed = Math.max(0, error) + tolerance
    const weight = 1 / (missed * missed)
    weights[i] = weight
    slopes[i] = weight * slope
    bases[i] = weight * (y[i]! - slope * x[i]!)
  }
  const [weight, slope, base] = [means(weights), means(slopes), means(bases)]
  for (let i = 0; i < values.length; i++) {
    slopes[i] = (range * slope[i]!) / (weight[i]! * guide.contrast)
    bases[i] = min + (range * base[i]!) / weight[i]!
  }
  return { slopes, bases }
}

function newPlane({ length }: Float32Array): Float32Array {
  return new Float32Array(length)
}

function product(a: Float32Array, b: Float32Array): Float32Array {
  const out = newPlane(a)
  for (let i = 0; i < out.length; i++) out[i] = a[i]! * b[i]!
  return out
}

/** From 0, the least value, to 1, the greatest: variances of values far from 0 would drown in rounding. */
function inUnits(values: Float32Array): { unit: Float32Array; min: number; range: number } {
  let [min, max] = [Infinity, -Infinity]
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!)
    max = Math.max(max, values[i]!)
  }
  const range = max - min
  const unit = newPlane(values)
  if (range > 0) for (let i = 0; i < unit.length; i++) unit[i] = (values[i]! - min) / range
  return { unit, min, range }
}
