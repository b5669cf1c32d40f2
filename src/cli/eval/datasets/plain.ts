import path from 'node:path'
import { LeadlineError } from '../../../errors.ts'
import type { Camera } from './camera.ts'
import type { DepthRules } from './depth-png.ts'
import { readDepthPng } from './depth-png.ts'
import { exists, foldersWith, inTurn, isFolder, listFiles, partner, readMatrix } from './folder.ts'
import type { RgbdFrame, RgbdSequence } from './sequence.ts'

/** 80 m is where the oVDA protocol clips depth. */
const rules: DepthRules = { unitsPerMetre: 1000, maxDepthM: 80 }
const remedy =
  'the data needs color/NAME.jpg (or png, webp) and depth/NAME.png of 16 bits in millimetres, and if poses are ' +
  'known, pose/NAME.txt (4 x 4, camera to world) with intrinsics.txt (3 x 3 or 4 x 4)'

/** `folder`, or each of its folders, with `color/` and `depth/`. Throws DATA_INVALID. */
export async function readPlain(folder: string): Promise<RgbdSequence[]> {
  const folders = await foldersWith(folder, 'color')
  return inTurn(folders.length > 0 ? folders : [folder], readSequence)
}

async function readSequence(folder: string): Promise<RgbdSequence> {
  const colors = await listFiles(path.join(folder, 'color'), /\.(jpe?g|png|webp)$/i, remedy)
  const hasPoses = await isFolder(path.join(folder, 'pose'))
  const lens = hasPoses ? await readIntrinsics(path.join(folder, 'intrinsics.txt'), remedy) : null
  const frames = await inTurn(colors, async (colorPath): Promise<RgbdFrame> => {
    const depthPath = await partner(colorPath, path.join(folder, 'depth'), '.png', remedy)
    const camera = lens && (await readCamera(lens, colorPath, path.join(folder, 'pose'), remedy))
    const { name } = path.parse(colorPath)
    return { name, colorPath, readTruth: () => readDepthPng(depthPath, rules), camera }
  })
  return { name: path.basename(path.resolve(folder)), frames }
}

export type Lens = Omit<Camera, 'pose'>

/** fx, fy, cx, cy of a 3 x 3 or 4 x 4 matrix. Throws DATA_INVALID. */
export async function readIntrinsics(file: string, remedy: string): Promise<Lens> {
  const values = await readMatrix(file, [9, 16], remedy)
  const columns = values.length === 9 ? 3 : 4
  const [fx = 0, , cx = 0] = values
  const [fy = 0, cy = 0] = values.slice(columns + 1)
  if (fx > 0 && fy > 0) return { fx, fy, cx, cy }
  throw new LeadlineError(
    'DATA_INVALID',
    `${file} has focal lengths ${fx} and ${fy}; they are pixels, above 0`
  )
}

/** The camera of a frame; null where its pose is missing or, as ScanNet writes lost tracking, infinite. */
export async function readCamera(
  lens: Lens,
  colorPath: string,
  poseFolder: string,
  remedy: string
): Promise<Camera | null> {
  const file = path.join(poseFolder, `${path.parse(colorPath).name}.txt`)
  if (!(await exists(file))) return null
  const pose = await readMatrix(file, [16], remedy)
  return pose.every(Number.isFinite) ? { ...lens, pose } : null
}
