import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'

/** How the camera of the video sees, for points in space. */
export interface CameraWishes {
  /** Horizontal, in degrees. */
  fov?: number
  /** fx, fy, cx, cy, in pixels of the video. */
  intrinsics?: [number, number, number, number]
}

export function addCameraOptions(command: Command): Command {
  return command
    .option('--fov <degrees>', 'of points: horizontal field of view of the camera; default: 60', fovDegrees)
    .option(
      '--intrinsics <fx,fy,cx,cy>',
      'of points, in place of --fov: the camera’s, in pixels of the video, as OpenCV calibrates them',
      intrinsics
    )
}

function fovDegrees(text: string): number {
  const degrees = Number(text)
  if (degrees >= 1 && degrees <= 179) return degrees
  throw new InvalidArgumentError('It must be degrees from 1 to 179.')
}

function intrinsics(text: string): [number, number, number, number] {
  const [fx, fy, cx, cy, ...more] = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  const isWhole = [fx, fy, cx, cy].every((value) => Number.isFinite(value)) && more.length === 0
  if (!isWhole || fx! <= 0 || fy! <= 0)
    throw new InvalidArgumentError('It must be four numbers with commas between, the first two above 0.')
  return [fx!, fy!, cx!, cy!]
}
