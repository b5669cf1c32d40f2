import { distanceRule, distanceAt } from '../maps/distance-rule.ts'
import type { Quantity } from '../wire/frame.ts'
import type { Size } from '../video/index.ts'
import type { Camera } from './camera.ts'
import { raysOf } from './camera.ts'
import type { DepthFileMap } from './depth-file.ts'

/** Points of one cloud, at most: of a larger map each second pixel of each second row is taken, or each third. */
const maxPoints = 2 ** 17
/** Relative depth says neither: how far away its nearest and farthest points are put. */
export const distances = { near: 1, far: 4 }

export interface PointCloud {
  count: number
  /** x to the right, y down, z forward: the axes of OpenCV's cameras. Metres, or units of `distances`. */
  positions: Float32Array
  /** RGB of the picture. */
  colors: Uint8Array
  /** The depth's own value. */
  values: Float32Array
}

export interface CloudOptions {
  size: Size
  source: Size
  quantity: Quantity
  camera: Camera
}

/** A map as points in space, coloured as the picture is there, row by row. */
export function pointCloud(
  { values, ends, frame }: Pick<DepthFileMap, 'values' | 'ends' | 'frame'>,
  { size, source, quantity, camera }: CloudOptions
): PointCloud {
  const step = Math.max(1, Math.ceil(Math.sqrt((size.width * size.height) / maxPoints)))
  const columns = Math.ceil(size.width / step)
  const rows = Math.ceil(size.height / step)
  const count = columns * rows
  const cloud: PointCloud = {
    count,
    positions: new Float32Array(count * 3),
    colors: new Uint8Array(count * 3).fill(255),
    values: new Float32Array(count)
  }
  const rule = distanceRule(quantity, ends, distances)
  const rays = raysOf(camera, source, size)
  for (let point = 0; point < count; point++) {
    const column = (point % columns) * step
    const row = Math.floor(point / columns) * step
    const value = values[row * size.width + column]!
    const distance = distanceAt(rule, value, distances)
    cloud.values[point] = value
    cloud.positions[3 * point] = rays.x(column) * distance
    cloud.positions[3 * point + 1] = rays.y(row) * distance
    cloud.positions[3 * point + 2] = distance
    if (frame === null) continue
    const pixelRow = Math.floor(((row + 0.5) * frame.height) / size.height)
    const pixelColumn = Math.floor(((column + 0.5) * frame.width) / size.width)
    const pixel = 3 * (pixelRow * frame.width + pixelColumn)
    cloud.colors.set(frame.rgb.subarray(pixel, pixel + 3), 3 * point)
  }
  return cloud
}
