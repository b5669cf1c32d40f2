export type { Camera } from './camera.ts'
export { expectEmpty } from './folder-writer.ts'
export { createDepthFile } from './create-depth-file.ts'
export type { DepthFile, DepthFileMap, DepthFileOptions, StoredArray } from './depth-file.ts'
export type { DepthFileName, DepthOutputName } from './names.ts'
export {
  colorVideos,
  depthFileNames,
  depthFiles,
  depthOutputNameOf,
  levelFiles,
  pictureFiles,
  standardOutput
} from './names.ts'
export type { MapTask, RenderedMap } from './render-map.ts'
export { renderMap } from './render-map.ts'
