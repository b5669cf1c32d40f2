import sharp from 'sharp'
import { LeadlineError } from '../errors.ts'
import { withPngTexts } from '../maps/png-texts.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { unitOf } from '../maps/unit.ts'
import { createFolderWriter } from './folder-writer.ts'
import type { MapFormat } from './picture-archive.ts'
import { createPictureArchive } from './picture-archive.ts'

/** png16.zip: 16-bit grey PNGs, each with its scale, offset, quantity, unit, time and epoch inside. */
export function createPng16(options: DepthFileOptions): Promise<DepthFile> {
  return createPictureArchive(options, png16Of(options))
}

/** png16: the same in a folder. */
export async function createPng16Folder(options: DepthFileOptions): Promise<DepthFile> {
  return createPictureArchive(options, png16Of(options), await createFolderWriter(options.path))
}

function png16Of({ size, quantity }: DepthFileOptions): MapFormat {
  return {
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
  }
}
