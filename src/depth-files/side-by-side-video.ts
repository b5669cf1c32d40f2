import { LeadlineError } from '../errors.ts'
import { createVideoWriter, halfAsWide, sideBySide } from '../video/index.ts'
import type { RgbPicture } from '../video/index.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { sourceColors } from './source-colors.ts'

/** side-by-side.mp4: the source on the left, its depth in colours on the right. */
export function createSideBySideVideo(options: DepthFileOptions): Promise<DepthFile> {
  return createVideo(options, { width: options.source.width, fit: (picture) => picture })
}

/** side-by-side-half.mp4: the same, each squeezed to half its width, so that both are as large as one. */
export function createHalfSideBySideVideo(options: DepthFileOptions): Promise<DepthFile> {
  return createVideo(options, { width: Math.ceil(options.source.width / 2), fit: halfAsWide })
}

async function createVideo(
  options: DepthFileOptions,
  { width, fit }: { width: number; fit: (picture: RgbPicture) => RgbPicture }
): Promise<DepthFile> {
  const { height, fps } = options.source
  const video = await createVideoWriter(options.path, { width: width * 2, height, fps })
  return {
    async write(map) {
      const { frame } = map
      if (frame === null) throw new LeadlineError('INTERNAL', 'A side-by-side frame needs its source')
      const depth = { ...options.source, rgb: await sourceColors(map, options) }
      await video.write(sideBySide(fit(frame), fit(depth)).rgb, map.timestampUs)
    },
    close: () => video.close(),
    abort: () => video.abort()
  }
}
