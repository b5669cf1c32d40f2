import sharp from 'sharp'
import { LeadlineError } from '../errors.ts'
import type { DepthFileMap, DepthFileOptions } from './depth-file.ts'

/**
 * The colours of a map at the size of the source: RGB, height x width x 3. They were looked up at the size of the map, where
 * they cost about a millisecond, and are resized in libvips' own threads.
 */
export async function sourceColors(
  { colors }: Pick<DepthFileMap, 'colors'>,
  { size, source }: DepthFileOptions
): Promise<Uint8Array> {
  if (colors === null) throw new LeadlineError('INTERNAL', 'The colours of a map were not rendered')
  if (size.width === source.width && size.height === source.height) return colors
  return sharp(colors, { raw: { width: size.width, height: size.height, channels: 3 } })
    .resize(source.width, source.height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer()
}
