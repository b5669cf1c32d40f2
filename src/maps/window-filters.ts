import type { Size } from './bilinear.ts'

/** Filters over square windows, `radius` pixels to each side of every one and cut off at the borders of the plane. */

/** Means of the windows. */
export function windowMeans(plane: Float32Array, { width, height }: Size, radius: number): Float32Array {
  const means = new Float32Array(width * height)
  /** Of each column, over the window's rows; in doubles, since what is added is taken away again. */
  const sums = new Float64Array(width)
  for (let y = 0; y < Math.min(radius, height); y++) addRow(sums, plane, y * width)
  for (let y = 0; y < height; y++) {
    const [first, last] = [Math.max(y - radius, 0), Math.min(y + radius, height - 1)]
    if (y + radius < height) addRow(sums, plane, last * width)
    if (y > radius) dropRow(sums, plane, (first - 1) * width)
    meansOfRow(sums, radius, last - first + 1, means, y * width)
  }
  return means
}

function addRow(sums: Float64Array, plane: Float32Array, start: number): void {
  for (let x = 0; x < sums.length; x++) sums[x]! += plane[start + x]!
}

function dropRow(sums: Float64Array, plane: Float32Array, start: number): void {
  for (let x = 0; x < sums.length; x++) sums[x]! -= plane[start + x]!
}

function meansOfRow(
  sums: Float64Array,
  radius: number,
  rows: number,
  out: Float32Array,
  start: number
): void {
  const width = sums.length
  let [sum, columns] = [0, 0]
  for (let x = 0; x < Math.min(radius, width); x++, columns++) sum += sums[x]!
  for (let x = 0; x < width; x++) {
    if (x + radius < width) {
      sum += sums[x + radius]!
      columns += 1
    }
    if (x > radius) {
      sum -= sums[x - radius - 1]!
      columns -= 1
    }
    out[start + x] = sum / (rows * columns)
  }
}

export interface Extremes {
  min: Float32Array
  max: Float32Array
}

/** Least and greatest values of the windows. */
export function windowExtremes(plane: Float32Array, size: Size, radius: number): Extremes {
  const min = windowMaxima(plane, -1, size, radius)
  for (let i = 0; i < min.length; i++) min[i] = -min[i]!
  return { min, max: windowMaxima(plane, 1, size, radius) }
}

/** Greatest values of the plane times `sign`, within a border of the radius that counts for nothing. */
function windowMaxima(
  plane: Float32Array,
  sign: 1 | -1,
  { width, height }: Size,
  radius: number
): Float32Array {
  const stride = width + 2 * radius
  const padded = new Float32Array(stride * (height + 2 * radius)).fill(-Infinity)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) padded[(y + radius) * stride + x + radius] = sign * plane[y * width + x]!
  maximaAhead(padded, 1, 2 * radius + 1)
  maximaAhead(padded, stride, 2 * radius + 1)
  const maxima = new Float32Array(width * height)
  for (let y = 0; y < height; y++) maxima.set(padded.subarray(y * stride, y * stride + width), y * width)
  return maxima
}

/** Makes each value the greatest of `span` values from itself on, `step` apart: of twice as many again and again. */
function maximaAhead(values: Float32Array, step: number, span: number): void {
  let seen = 1
  const widen = (by: number): void => {
    for (let i = 0, ahead = by * step; ahead < values.length; i++, ahead++)
      values[i] = Math.max(values[i]!, values[ahead]!)
  }
  for (; 2 * seen <= span; seen *= 2) widen(seen)
  widen(span - seen)
}
