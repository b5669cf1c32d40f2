import { LeadlineError } from '../errors.ts'
import { createGrayVideoWriter } from '../video/index.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { DepthTrack } from './depth-track.ts'

/** depth.mkv: 16-bit grey, lossless (FFV1), and what scale.json says in the tag LEADLINE. */
export async function createGrayVideo(options: DepthFileOptions): Promise<DepthFile> {
  const { size, source } = options
  const video = await createGrayVideoWriter(options.path, { ...size, fps: source.fps })
  const track = new DepthTrack(options)
  return {
    async write(map) {
      if (map.stored === null) throw new LeadlineError('INTERNAL', 'A 16-bit map was not rendered')
      await video.write(map.stored, map.timestampUs)
      track.add(map, map.levels)
    },
    close: () => video.close({ LEADLINE: track.json() }),
    abort: () => video.abort()
  }
}
