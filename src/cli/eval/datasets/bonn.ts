import path from 'node:path'
import { LeadlineError } from '../../../errors.ts'
import type { Camera, Matrix4 } from './camera.ts'
import { multiply, rigidMatrix } from './camera.ts'
import type { DepthRules } from './depth-png.ts'
import { readDepthPng } from './depth-png.ts'
import { exists, foldersWith, inTurn, readLines } from './folder.ts'
import type { RgbdFrame, RgbdSequence } from './sequence.ts'
import { associate } from './timestamps.ts'

/**
 * Bonn RGB-D Dynamic (ipb.uni-bonn.de/data/rgbd-dynamic-dataset), in the format of the TUM RGB-D benchmark: rgb.txt and
 * depth.txt list "timestamp file", groundtruth.txt "timestamp tx ty tz qx qy qz qw"; depth PNG of 16 bits, 5000 to the
 * metre, 0 unknown. Range below 10 m, as in Video Depth Anything's benchmark. Lens distortion is not undone.
 */
const rules: DepthRules = { unitsPerMetre: 5000, maxDepthM: 10 }
const lens = { fx: 542.822841, fy: 542.57687, cx: 315.59352, cy: 237.756098 }
const remedy =
  'a Bonn sequence is a folder rgbd_bonn_NAME with rgb.txt, depth.txt and groundtruth.txt, and the files they list'

/**
 * groundtruth.txt tracks the markers on the sensor: the camera's pose is axes * pose * axes * marker (data set page,
 * T_ROS and T_m; T_ROS is its own inverse). The published T_m carries a factor of 1.0593, here divided out, since a pose
 * is rigid.
 */
const axes: Matrix4 = [-1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
const markerScale = 1.0593
const marker: Matrix4 = [
  ...[1.0157 / markerScale, 0.1828 / markerScale, -0.2389 / markerScale, 0.0113],
  ...[0.0009 / markerScale, -0.8431 / markerScale, -0.6413 / markerScale, -0.0098],
  ...[-0.3009 / markerScale, 0.6147 / markerScale, -0.8085 / markerScale, 0.0111],
  ...[0, 0, 0, 1]
]

/** A sequence, or a folder of sequences. Throws DATA_INVALID. */
export async function readBonn(folder: string): Promise<RgbdSequence[]> {
  const folders = await foldersWith(folder, 'rgb.txt')
  return inTurn(folders.length > 0 ? folders : [folder], readSequence)
}

interface Row {
  timeS: number
  words: string[]
}

async function readSequence(folder: string): Promise<RgbdSequence> {
  const colors = await readRows(path.join(folder, 'rgb.txt'), 2)
  const depths = await readRows(path.join(folder, 'depth.txt'), 2)
  const hasPoses = await exists(path.join(folder, 'groundtruth.txt'))
  const poses = hasPoses ? await readRows(path.join(folder, 'groundtruth.txt'), 8) : []
  const depthOf = associate(colors, depths)
  const poseOf = associate(colors, poses)
  const frames = colors.flatMap((color, i): RgbdFrame[] => {
    const depth = depthOf[i]
    if (!depth) return []
    const pose = poseOf[i]
    const depthPath = path.join(folder, depth.words[1] ?? '')
    return [
      {
        name: color.words[0] ?? '',
        colorPath: path.join(folder, color.words[1] ?? ''),
        readTruth: () => readDepthPng(depthPath, rules),
        camera: pose ? cameraOf(pose) : null
      }
    ]
  })
  if (frames.length > 0) return { name: path.basename(path.resolve(folder)), frames }
  throw new LeadlineError(
    'DATA_INVALID',
    `${path.join(folder, 'depth.txt')} has no time within 20 ms of one in rgb.txt; ${remedy}`
  )
}

async function readRows(file: string, columns: number): Promise<Row[]> {
  const rows = (await readLines(file, remedy)).map((line) => line.trim().split(/\s+/))
  const wrong = rows.find((words) => words.length !== columns || !Number.isFinite(Number(words[0])))
  if (wrong) {
    throw new LeadlineError(
      'DATA_INVALID',
      `${file} has the line "${wrong.join(' ')}", not a time and ${columns - 1} more; ${remedy}`
    )
  }
  return rows.map((words) => ({ timeS: Number(words[0]), words }))
}

function cameraOf({ words }: Row): Camera {
  const [, tx = 0, ty = 0, tz = 0, qx = 0, qy = 0, qz = 0, qw = 1] = words.map(Number)
  const tracked = rigidMatrix([tx, ty, tz], [qx, qy, qz, qw])
  return { ...lens, pose: multiply(multiply(multiply(axes, tracked), axes), marker) }
}
