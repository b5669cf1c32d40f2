import sharp from 'sharp'
import { LeadlineError } from '../errors.ts'
import { withPngTexts } from '../maps/png-texts.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { unitOf } from '../maps/unit.ts'
import { createPictureArchive } from './picture-archive.ts'

/** png16.zip: 16-bit grey PNGs, each with its scale, offset, quantity, unit, time and epoch inside. */
export function createPng16(options: DepthFileOptions): Promise<DepthFile> {
  const { size, quantity } = options
  return createPictureArchive(options, {
    extension: 'png',
    levelsOf: ({ levels }) => levels,
    async encode({ stored, levels, timestampUs, epoch }) {
      if (stored === null) throw new LeadlineError('INTERNAL', 'A 16-bit map was not rendered')
      const png = await sharp(stored, { raw: { ...size, channels: 1 }, limitInputPixels: false })
        .toColourspace('grey16')
        .png({ compressionLevel: 6, adaptiveFiltering: true })
        .toBuffer()
      const seconds = timestampUs / 1e6
      return withPngTexts(png, { ...levels, quantity, unit: unitOf(quantity), time: seconds, epoch })
    }
  })
}
