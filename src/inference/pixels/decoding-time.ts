import type { Size } from '../../maps/bilinear.ts'
import type { ImageCodec } from '../../wire/image-signature.ts'

/** An image that takes longer is decoded behind those of live frames: a JPEG of 4096x2160 does not, nor 1920x1080 of any format. */
export const usualDecodingMs = 125

/** What of an image tells how long it takes. */
export interface ImageHead {
  codec: ImageCodec
  source: Size
  /** In several passes: a progressive JPEG, an interlaced PNG. */
  isProgressive: boolean
  /** Decoded in full size as well. */
  withGuide: boolean
}

/** Milliseconds for a million pixels, on one core of an AMD EPYC at 3840x2160, of the slower kind where a format has several. */
const codecMs: Record<ImageCodec, { plain: number; withGuide: number }> = {
  jpeg: { plain: 2.2, withGuide: 12 },
  png: { plain: 10, withGuide: 30 },
  webp: { plain: 22, withGuide: 60 },
  avif: { plain: 58, withGuide: 120 },
  tiff: { plain: 10, withGuide: 25 },
  gif: { plain: 9, withGuide: 20 }
}
const passesMs = { plain: 11, withGuide: 20 }

/** About how long an image takes to be decoded, in milliseconds, by its head alone. */
export function decodingMs({ codec, source, isProgressive, withGuide }: ImageHead): number {
  const part = withGuide ? 'withGuide' : 'plain'
  const perMegapixel = codecMs[codec][part] + (isProgressive ? passesMs[part] : 0)
  return ((source.width * source.height) / 1e6) * perMegapixel
}
