import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../../../errors.ts'
import type { Camera } from './camera.ts'
import { invertRigid } from './camera.ts'
import { known } from './depth-png.ts'
import { foldersWith, inTurn, isFolder, listFiles, partner } from './folder.ts'
import type { DepthTruth, RgbdFrame, RgbdSequence } from './sequence.ts'

/**
 * MPI Sintel, training, with its depth package (sintel.is.tue.mpg.de/depth; formats as in the sintel_io.py that comes
 * with it): .dpt is "PIEH", width, height (int32), depth in metres (float32); .cam is "PIEH", then as float64 the 3 x 3
 * intrinsics and the 3 x 4 extrinsics, world to camera. All little-endian. Depth counts below 70 m, as in the benchmarks
 * of DepthCrafter and Video Depth Anything: what is farther is sky and painted background.
 */
const maxDepthM = 70
const tag = 'PIEH'
const remedy =
  'Sintel needs training/clean or training/final (SCENE/frame_NNNN.png), and from the depth package training/depth ' +
  '(SCENE/frame_NNNN.dpt) and, for poses, training/camdata_left (SCENE/frame_NNNN.cam)'

/** `folder` is Sintel's root or its `training`. Throws DATA_INVALID. */
export async function readSintel(folder: string, pass: 'clean' | 'final'): Promise<RgbdSequence[]> {
  const training = (await isFolder(path.join(folder, 'training'))) ? path.join(folder, 'training') : folder
  const scenes = await foldersWith(path.join(training, pass), 'frame_0001.png')
  if (scenes.length > 0) return inTurn(scenes, (scene) => readScene(training, scene))
  throw new LeadlineError('DATA_INVALID', `${path.join(training, pass)} holds no scenes; ${remedy}`)
}

async function readScene(training: string, scene: string): Promise<RgbdSequence> {
  const name = path.basename(scene)
  const camdata = path.join(training, 'camdata_left', name)
  const hasPoses = await isFolder(camdata)
  const colors = await listFiles(scene, /^frame_\d+\.png$/, remedy)
  const frames = await inTurn(colors, async (colorPath): Promise<RgbdFrame> => {
    const depthPath = await partner(colorPath, path.join(training, 'depth', name), '.dpt', remedy)
    const camera = hasPoses ? await readCam(await partner(colorPath, camdata, '.cam', remedy)) : null
    return { name: path.parse(colorPath).name, colorPath, readTruth: () => readDpt(depthPath), camera }
  })
  return { name, frames }
}

async function readDpt(file: string): Promise<DepthTruth> {
  const bytes = await readFile(file)
  checkTag(file, bytes)
  const width = bytes.length < 12 ? 0 : bytes.readInt32LE(4)
  const height = bytes.length < 12 ? 0 : bytes.readInt32LE(8)
  checkLength(file, bytes, 12 + 4 * width * height)
  const depthM = Float32Array.from({ length: width * height }, (_, i) => bytes.readFloatLE(12 + 4 * i))
  return { width, height, depthM: known(depthM, maxDepthM) }
}

async function readCam(file: string): Promise<Camera> {
  const bytes = await readFile(file)
  checkTag(file, bytes)
  checkLength(file, bytes, 4 + 8 * 21)
  const values = Array.from({ length: 21 }, (_, i) => bytes.readDoubleLE(4 + 8 * i))
  const [fx = 0, , cx = 0, , fy = 0, cy = 0] = values
  return { fx, fy, cx, cy, pose: invertRigid([...values.slice(9), 0, 0, 0, 1]) }
}

function checkTag(file: string, bytes: Buffer): void {
  const found = bytes.subarray(0, 4).toString('latin1')
  if (found === tag) return
  throw new LeadlineError(
    'DATA_INVALID',
    `${file} begins with ${JSON.stringify(found)}, not "${tag}"; it is no file of Sintel's depth package: unpack that again`
  )
}

function checkLength(file: string, bytes: Buffer, expected: number): void {
  if (bytes.length === expected) return
  throw new LeadlineError(
    'DATA_INVALID',
    `${file} has ${bytes.length} bytes, and its header promises ${expected}; unpack Sintel's depth package again`
  )
}
