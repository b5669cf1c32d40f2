import { encodeFloat16 } from '../maps/float16.ts'
import { unitOf } from '../maps/unit.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import type { ExrPixels } from './exr-image.ts'
import { exrImage } from './exr-image.ts'
import { createPictureArchive, plain } from './picture-archive.ts'

/** exr.zip: OpenEXR images of one channel, Z, whose values are the depth's own, as 32-bit floats. */
export function createExr(options: DepthFileOptions): Promise<DepthFile> {
  return createImages(options, (values) => ({ type: 'float', values }))
}

/** exr-half.zip: the same in half the bytes, as 16-bit floats: within 2^-11 of a value, infinite beyond 65504. */
export function createHalfExr(options: DepthFileOptions): Promise<DepthFile> {
  return createImages(options, (values) => ({ type: 'half', values: encodeFloat16(values) }))
}

function createImages(
  options: DepthFileOptions,
  pixelsOf: (values: Float32Array) => ExrPixels
): Promise<DepthFile> {
  const { size, quantity } = options
  return createPictureArchive(options, {
    extension: 'exr',
    levelsOf: () => plain,
    encode: ({ values, timestampUs, epoch }) =>
      exrImage(pixelsOf(values), size, {
        quantity,
        unit: unitOf(quantity),
        time: String(timestampUs / 1e6),
        epoch: String(epoch)
      })
  })
}
