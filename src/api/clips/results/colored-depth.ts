import sharp from 'sharp'
import { colorize, displayEnds } from '../../../colormap.ts'
import type { ResultMap, ResultOptions } from './result-writer.ts'

/**
 * A depth map in colours at the size of the source: RGB, height x width x 3. Colours are looked up at the size of the
 * map, where they cost about a millisecond, and resized in libvips' own threads.
 */
export async function coloredDepth(
  { depth, display }: ResultMap,
  options: ResultOptions
): Promise<Uint8Array> {
  const { size, source, quantity, table } = options
  const rgb = colorize(depth, displayEnds(display, quantity), table)
  if (size.width === source.width && size.height === source.height) return rgb
  return sharp(rgb, { raw: { width: size.width, height: size.height, channels: 3 } })
    .resize(source.width, source.height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer()
}
