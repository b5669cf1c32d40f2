import type { Size } from '../../maps/bilinear.ts'
import type { OutputFormat, OutputOptions } from '../../wire/output.ts'

/** A map that takes longer is encoded behind those of live frames. */
export const usualEncodingMs = 100

/** Milliseconds for a million pixels, on one core of an AMD EPYC at 3840x2160. */
const formatMs: Record<OutputFormat, number> = { u16: 4.5, f16: 6.6, f32: 5.2, png16: 29, jpeg: 25, webp: 34 }
const deflatedMs = 16
const refinedMs = 18

/** About how long a map takes to be encoded, in milliseconds. */
export function encodingMs({ width, height }: Size, { format, compression, refine }: OutputOptions): number {
  const perMegapixel =
    formatMs[format] + (compression === 'deflate' ? deflatedMs : 0) + (refine ? refinedMs : 0)
  return ((width * height) / 1e6) * perMegapixel
}
