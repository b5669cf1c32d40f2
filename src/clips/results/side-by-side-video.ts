import { LeadlineError } from '../../errors.ts'
import { createVideoWriter, sideBySide } from '../../video/index.ts'
import { sourceColors } from './source-colors.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'

/** side-by-side.mp4: the source on the left, its depth in colours on the right. */
export async function createSideBySideVideo(options: ResultOptions): Promise<ResultWriter> {
  const { width, height, fps } = options.source
  const video = await createVideoWriter(options.path, { width: width * 2, height, fps })
  return {
    async write(map) {
      const { frame } = map
      if (frame === null) throw new LeadlineError('INTERNAL', 'A side-by-side frame needs its source')
      const depth = { ...options.source, rgb: await sourceColors(map, options) }
      await video.write(sideBySide(frame, depth).rgb, map.timestampUs)
    },
    close: () => video.close(),
    abort: () => video.abort()
  }
}
