import path from 'node:path'
import { LeadlineError } from '../../../errors.ts'
import { readBonn } from './bonn.ts'
import { foldersWith, isFolder } from './folder.ts'
import { readKitti } from './kitti.ts'
import { readPlain } from './plain.ts'
import { readScanNet } from './scannet.ts'
import type { RgbdSequence } from './sequence.ts'
import { readSintel } from './sintel.ts'

export const layouts = ['plain', 'sintel-clean', 'sintel-final', 'kitti', 'bonn', 'scannet'] as const
export type Layout = (typeof layouts)[number]

const readers: Record<Layout, (folder: string) => Promise<RgbdSequence[]>> = {
  plain: readPlain,
  'sintel-clean': (folder) => readSintel(folder, 'clean'),
  'sintel-final': (folder) => readSintel(folder, 'final'),
  kitti: readKitti,
  bonn: readBonn,
  scannet: readScanNet
}

/** The sequences of a data set, at least one, in order of their names. Throws DATA_INVALID. */
export function readDataset(folder: string, layout: Layout): Promise<RgbdSequence[]> {
  return readers[layout](folder)
}

/** Which data set it is, by what only that one has. Sintel with both passes is taken as "clean". Throws DATA_INVALID. */
export async function detectLayout(folder: string): Promise<Layout> {
  const has = async (marker: string) => (await foldersWith(folder, marker)).length > 0
  if (await has('rgb.txt')) return 'bonn'
  if (await has(path.join('intrinsic', 'intrinsic_depth.txt'))) return 'scannet'
  if (await has('color')) return 'plain'
  if ((await isFolder(path.join(folder, 'val'))) || (await has('proj_depth'))) return 'kitti'
  if (await has('clean')) return 'sintel-clean'
  if (await has('final')) return 'sintel-final'
  throw new LeadlineError(
    'DATA_INVALID',
    `${folder} looks like none of the layouts ${layouts.join(', ')}; RGB-D frames of your own need color/NAME.jpg and ` +
      'depth/NAME.png (16 bit, millimetres); --layout says what is missing from a data set'
  )
}
