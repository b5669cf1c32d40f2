import { LeadlineError } from '../../../errors.ts'
import type { VideoFrame } from '../../../video/index.ts'
import { createVideoWriter } from '../../../video/index.ts'
import { coloredDepth } from './colored-depth.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'

/** side-by-side.mp4: the source on the left, its depth in colours on the right. */
export async function createSideBySideVideo(options: ResultOptions): Promise<ResultWriter> {
  const { width, height, fps } = options.source
  const video = await createVideoWriter(options.path, { width: width * 2, height, fps })
  return {
    async write(map) {
      const { frame } = map
      if (frame === null) throw new LeadlineError('INTERNAL', 'A side-by-side frame needs its source')
      await video.write(beside(frame, await coloredDepth(map, options)), map.timestampUs)
    },
    close: () => video.close(),
    abort: () => video.abort()
  }
}

function beside({ rgb, width, height }: VideoFrame, right: Uint8Array): Uint8Array {
  const rowBytes = width * 3
  const both = new Uint8Array(rgb.byteLength * 2)
  for (let y = 0; y < height; y++) {
    both.set(rgb.subarray(y * rowBytes, (y + 1) * rowBytes), 2 * y * rowBytes)
    both.set(right.subarray(y * rowBytes, (y + 1) * rowBytes), (2 * y + 1) * rowBytes)
  }
  return both
}
