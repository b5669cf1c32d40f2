import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../../../errors.ts'
import type { DepthRules } from './depth-png.ts'
import { readDepthPng } from './depth-png.ts'
import { exists, inTurn, isFolder, listFiles, partner } from './folder.ts'
import type { RgbdFrame, RgbdSequence } from './sequence.ts'

/**
 * KITTI depth prediction and completion, validation drives, left colour camera (cvlibs.net/datasets/kitti/eval_depth.php;
 * devkit readme: 16-bit PNG, depth in metres times 256, 0 unknown, names start at 5). Colour comes from KITTI raw. Depth
 * counts below 80 m, and the whole map is scored: the devkit crops nothing. There are no poses in this package.
 */
const rules: DepthRules = { unitsPerMetre: 256, maxDepthM: 80 }
const depthFolder = path.join('proj_depth', 'groundtruth', 'image_02')
const remedy =
  'KITTI needs val/DRIVE_sync/proj_depth/groundtruth/image_02 of the annotated depth maps and, of the raw data, ' +
  'DATE/DRIVE_sync/image_02/data, in the same folder, in raw/ beside val/, or in val/ itself'

/** `folder` holds `val`, or the drives themselves. Throws DATA_INVALID. */
export async function readKitti(folder: string): Promise<RgbdSequence[]> {
  const val = (await isFolder(path.join(folder, 'val'))) ? path.join(folder, 'val') : folder
  const names = (await readdir(val).catch(() => [])).filter((name) => name.endsWith('_sync')).sort()
  if (names.length > 0) return inTurn(names, (name) => readDrive(folder, val, name))
  throw new LeadlineError('DATA_INVALID', `${val} holds no drives; ${remedy}`)
}

async function readDrive(folder: string, val: string, name: string): Promise<RgbdSequence> {
  const colorFolder = await findColors(folder, val, name)
  // Depth has no first and last five frames, so its files say which frames there are.
  const depths = await listFiles(path.join(val, name, depthFolder), /\.png$/, remedy)
  const frames = await inTurn(depths, async (depthPath): Promise<RgbdFrame> => {
    const extension = (await exists(path.join(colorFolder, path.basename(depthPath)))) ? '.png' : '.jpg'
    const colorPath = await partner(depthPath, colorFolder, extension, remedy)
    const readTruth = () => readDepthPng(depthPath, rules)
    return { name: path.parse(depthPath).name, colorPath, readTruth, camera: null }
  })
  return { name, frames }
}

async function findColors(folder: string, val: string, drive: string): Promise<string> {
  const inDrive = path.join('image_02', 'data')
  const ofDate = path.join(drive.slice(0, '2011_09_26'.length), drive, inDrive)
  const places = [
    path.join(folder, ofDate),
    path.join(folder, 'raw', ofDate),
    path.join(path.dirname(val), 'raw', ofDate),
    path.join(val, drive, inDrive)
  ]
  for (const place of places) if (await isFolder(place)) return place
  throw new LeadlineError('DATA_INVALID', `${path.join(folder, ofDate)} is missing; ${remedy}`)
}
