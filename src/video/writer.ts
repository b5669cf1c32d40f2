import type { Size } from '../maps/bilinear.ts'
import { frameDurationUs } from './frame-duration.ts'
import type { VideoWriter } from './piped-writer.ts'
import { createPipedWriter } from './piped-writer.ts'

export type { VideoWriter }

export interface VideoWriterOptions extends Size {
  /** What the encoder reckons with, and how long the last frame is shown; null: not known. */
  fps: number | null
}

/** Of x264, in pixels. */
const maxSide = 16_384

/**
 * Write an MP4 that every browser plays: H.264, yuv420p, BT.709, index in front, each frame (RGB, uint8, height x width x 3) at
 * its own time. Odd sizes gain one black column or row, and what is larger than the encoder takes is shrunk. Throws what
 * `createPipedWriter` throws.
 */
export function createVideoWriter(videoPath: string, options: VideoWriterOptions): Promise<VideoWriter> {
  const { width, height, fps } = options
  return createPipedWriter(videoPath, {
    ...{ width, height, pixels: 'rgb24', frameDurationUs: frameDurationUs(fps) },
    encode: encoderArguments(options)
  })
}

function encoderArguments(size: Size): string[] {
  const { width, height } = encodedSize(size)
  const even = 'pad=ceil(iw/2)*2:ceil(ih/2)*2'
  const scale = `scale=${width}:${height}:out_color_matrix=bt709:out_range=tv`
  const color = [
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709'],
    ...['-color_trc', 'bt709', '-color_range', 'tv']
  ]
  // Without frames that wait for later ones, the length of an uneven video comes out right in every player.
  const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-bf', '0', '-pix_fmt', 'yuv420p']
  const file = ['-enc_time_base', '1:90000', '-movflags', '+faststart', '-f', 'mp4']
  return ['-vf', `${even},${scale}`, ...encode, ...color, ...file]
}

/** Even, and no side above the encoder's most. */
function encodedSize({ width, height }: Size): Size {
  const shrink = Math.min(1, maxSide / Math.max(width, height))
  const even = (side: number) => Math.max(2, 2 * Math.ceil((side * shrink) / 2))
  return { width: even(width), height: even(height) }
}
