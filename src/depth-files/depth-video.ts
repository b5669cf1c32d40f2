import { createVideoWriter } from '../video/index.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { sourceColors } from './source-colors.ts'

/** depth.mp4: depth in colours, as large as the source. */
export async function createDepthVideo(options: DepthFileOptions): Promise<DepthFile> {
  const video = await createVideoWriter(options.path, options.source)
  return {
    write: async (map) => video.write(await sourceColors(map, options), map.timestampUs),
    close: () => video.close(),
    abort: () => video.abort()
  }
}
