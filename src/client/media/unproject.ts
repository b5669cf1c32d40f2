import type { DisplayEnds } from '../../maps/colormap.ts'
import type { DistanceRule, Distances } from '../../maps/distance-rule.ts'
import { distanceAt, distanceRule as ruleOf } from '../../maps/distance-rule.ts'
import { depthEnds } from './draw-depth.ts'
import type { ShownDepth } from './draw-depth.ts'

export interface UnprojectOptions {
  /** The horizontal field of view of the camera, in degrees. @default 60 */
  fovDegrees?: number
  /** The values at the nearest and the farthest point of relative depth. @default the depth map's display range */
  ends?: DisplayEnds
  /**
   * How far away those two are, in units of your choice. Relative depth says neither: it is free of scale and shift.
   * @default { near: 1, far: 4 }
   */
  distances?: Distances
}

const usual: Distances = { near: 1, far: 4 }

export function distanceRule(
  depth: ShownDepth,
  { ends = depthEnds(depth), distances = usual }: UnprojectOptions = {}
): DistanceRule {
  return ruleOf(depth.header.quantity, ends, distances)
}

/**
 * The points of a depth map, x, y and z of each pixel row by row, as the camera sees them: x to the right, y up, and z towards
 * the viewer, so that what lies before the camera has a negative z. That is a right-handed system, that of glTF and three.js.
 * Relative depth is bounded by its ends; the unit is the metre, of relative depth that of `distances`.
 */
export function unproject(depth: ShownDepth, options: UnprojectOptions = {}): Float32Array<ArrayBuffer> {
  const { width, height } = depth.header
  const rule = distanceRule(depth, options)
  const values = depth.values()
  /** Of the image plane at distance 1, the size of a pixel. */
  const pixel = (2 * Math.tan(((options.fovDegrees ?? 60) * Math.PI) / 360)) / width
  const points = new Float32Array(values.length * 3)
  for (let i = 0; i < values.length; i++) {
    const distance = distanceAt(rule, values[i]!, options.distances ?? usual)
    points[3 * i] = ((i % width) + 0.5 - width / 2) * pixel * distance
    points[3 * i + 1] = (height / 2 - Math.floor(i / width) - 0.5) * pixel * distance
    points[3 * i + 2] = -distance
  }
  return points
}
