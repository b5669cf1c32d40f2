export type { Camera } from './camera.ts'
export { createDepthFile } from './create-depth-file.ts'
export type { DepthFile, DepthFileMap, DepthFileOptions, StoredArray } from './depth-file.ts'
export type { DepthFileName } from './names.ts'
export {
  colorVideos,
  depthFileNameOf,
  depthFileNames,
  depthFiles,
  levelFiles,
  pictureFiles
} from './names.ts'
export type { MapTask, RenderedMap } from './render-map.ts'
export { renderMap } from './render-map.ts'
