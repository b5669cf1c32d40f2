import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { createDepthVideo } from './depth-video.ts'
import { createExr, createHalfExr } from './exr.ts'
import { createGlb } from './glb.ts'
import { createGrayVideo } from './gray-video.ts'
import type { DepthOutputName } from './names.ts'
import { createNpz } from './npz.ts'
import { createPly } from './ply.ts'
import { createPng16, createPng16Folder } from './png16.ts'
import { createHalfRaw, createRaw } from './raw.ts'
import { createHalfSideBySideVideo, createSideBySideVideo } from './side-by-side-video.ts'

const creators: Record<DepthOutputName, (options: DepthFileOptions) => Promise<DepthFile>> = {
  'depth.mp4': createDepthVideo,
  'side-by-side.mp4': createSideBySideVideo,
  'side-by-side-half.mp4': createHalfSideBySideVideo,
  npz: createNpz,
  'png16.zip': createPng16,
  png16: createPng16Folder,
  f32: createRaw,
  f16: createHalfRaw,
  'exr.zip': createExr,
  'exr-half.zip': createHalfExr,
  'depth.mkv': createGrayVideo,
  'ply.zip': createPly,
  'glb.zip': createGlb
}

/** Throws TOOL_MISSING for videos, REQUEST_INVALID for a folder that holds something, and what the disk refuses. */
export function createDepthFile(name: DepthOutputName, options: DepthFileOptions): Promise<DepthFile> {
  return creators[name](options)
}
