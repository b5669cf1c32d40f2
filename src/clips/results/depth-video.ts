import { createVideoWriter } from '../../video/index.ts'
import { sourceColors } from './source-colors.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'

/** depth.mp4: depth in colours, as large as the source. */
export async function createDepthVideo(options: ResultOptions): Promise<ResultWriter> {
  const video = await createVideoWriter(options.path, options.source)
  return {
    write: async (map) => video.write(await sourceColors(map, options), map.timestampUs),
    close: () => video.close(),
    abort: () => video.abort()
  }
}
