import type { Size } from '../video/index.ts'

/** How a camera sees: its horizontal field of view, or what a calibration says. */
export type Camera =
  | { fovDegrees: number }
  /** In pixels of the source, the centre of its first pixel at 0, 0, as OpenCV counts. */
  | { fx: number; fy: number; cx: number; cy: number }

/** Through which pixel a ray goes: where it is, at distance 1, right of and below the middle. */
export interface Rays {
  x: (column: number) => number
  y: (row: number) => number
}

/** Of a map that covers the source's picture in another size. Pinhole, square pixels with a field of view. */
export function raysOf(camera: Camera, source: Size, map: Size): Rays {
  const perColumn = source.width / map.width
  const perRow = source.height / map.height
  const { fx, fy, cx, cy } = 'fx' in camera ? camera : pinhole(camera.fovDegrees, source)
  return {
    x: (column) => ((column + 0.5) * perColumn - 0.5 - cx) / fx,
    y: (row) => ((row + 0.5) * perRow - 0.5 - cy) / fy
  }
}

function pinhole(fovDegrees: number, { width, height }: Size) {
  const focal = width / 2 / Math.tan((fovDegrees * Math.PI) / 360)
  return { fx: focal, fy: focal, cx: width / 2 - 0.5, cy: height / 2 - 0.5 }
}
