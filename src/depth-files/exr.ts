import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { unitOf } from '../unit.ts'
import { exrImage } from './exr-image.ts'
import { createPictureArchive, plain } from './picture-archive.ts'

/** exr.zip: OpenEXR images of one channel, Z, whose values are the depth's own, as 32-bit floats. */
export function createExr(options: DepthFileOptions): Promise<DepthFile> {
  const { size, quantity } = options
  return createPictureArchive(options, {
    extension: 'exr',
    levelsOf: () => plain,
    encode: ({ values, timestampUs, epoch }) =>
      exrImage(values, size, {
        quantity,
        unit: unitOf(quantity),
        time: String(timestampUs / 1e6),
        epoch: String(epoch)
      })
  })
}
