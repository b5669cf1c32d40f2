import path from 'node:path'
import type { Border, DepthRules } from './depth-png.ts'
import { readDepthPng, withoutBorder } from './depth-png.ts'
import { foldersWith, inTurn, listFiles, partner } from './folder.ts'
import { readCamera, readIntrinsics } from './plain.ts'
import type { RgbdFrame, RgbdSequence } from './sequence.ts'

/**
 * ScanNet as its SensReader exports a .sens file (github.com/ScanNet/ScanNet, SensReader): depth in millimetres
 * (m_depthShift 1000), 0 unknown; poses from camera to world, -inf where tracking was lost; intrinsics of the depth
 * camera, to which colour is registered. Range and border are those of Video Depth Anything's benchmark: below 10 m, 8
 * rows and 11 columns cut off at each side of the 640 x 480 depth map, where the undistorted colour is black.
 */
const rules: DepthRules = { unitsPerMetre: 1000, maxDepthM: 10 }
const border: Border = { rows: 8, columns: 11 }
const remedy =
  'a ScanNet scene needs color/N.jpg, depth/N.png, pose/N.txt and intrinsic/intrinsic_depth.txt; export it with ' +
  'SensReader (--export_color_images --export_depth_images --export_poses --export_intrinsics)'

/** A scene, or a folder of scenes. Throws DATA_INVALID. */
export async function readScanNet(folder: string): Promise<RgbdSequence[]> {
  const scenes = await foldersWith(folder, 'color')
  return inTurn(scenes.length > 0 ? scenes : [folder], readScene)
}

async function readScene(folder: string): Promise<RgbdSequence> {
  const colors = await listFiles(path.join(folder, 'color'), /\.(jpe?g|png)$/i, remedy)
  const lens = await readIntrinsics(path.join(folder, 'intrinsic', 'intrinsic_depth.txt'), remedy)
  const frames = await inTurn(colors, async (colorPath): Promise<RgbdFrame> => {
    const depthPath = await partner(colorPath, path.join(folder, 'depth'), '.png', remedy)
    const camera = await readCamera(lens, colorPath, path.join(folder, 'pose'), remedy)
    const readTruth = async () => withoutBorder(await readDepthPng(depthPath, rules), border)
    return { name: path.parse(colorPath).name, colorPath, readTruth, camera }
  })
  return { name: path.basename(path.resolve(folder)), frames }
}
