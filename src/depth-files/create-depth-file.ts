import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { createDepthVideo } from './depth-video.ts'
import { createExr, createHalfExr } from './exr.ts'
import { createGlb } from './glb.ts'
import { createGrayVideo } from './gray-video.ts'
import type { DepthFileName } from './names.ts'
import { createNpz } from './npz.ts'
import { createPly } from './ply.ts'
import { createPng16 } from './png16.ts'
import { createHalfSideBySideVideo, createSideBySideVideo } from './side-by-side-video.ts'

const creators: Record<DepthFileName, (options: DepthFileOptions) => Promise<DepthFile>> = {
  'depth.mp4': createDepthVideo,
  'side-by-side.mp4': createSideBySideVideo,
  'side-by-side-half.mp4': createHalfSideBySideVideo,
  npz: createNpz,
  'png16.zip': createPng16,
  'exr.zip': createExr,
  'exr-half.zip': createHalfExr,
  'depth.mkv': createGrayVideo,
  'ply.zip': createPly,
  'glb.zip': createGlb
}

/** Throws TOOL_MISSING for videos, and what the disk refuses. */
export function createDepthFile(name: DepthFileName, options: DepthFileOptions): Promise<DepthFile> {
  return creators[name](options)
}
