import sharp from 'sharp'
import { LeadlineError } from '../../errors.ts'
import { createZipWriter } from '../../video/index.ts'
import type { ResultOptions, ResultWriter } from './result-writer.ts'

/**
 * png16.zip: one 16-bit grey PNG a frame, and scale.json, which holds for all: value = stored * scale + offset, and each
 * frame's time in seconds as the file has it.
 */
export async function createPngArchive({
  path,
  size,
  range,
  quantity
}: ResultOptions): Promise<ResultWriter> {
  const zip = await createZipWriter(path)
  const scale = (range.max - range.min) / 65_535
  const times: number[] = []
  return {
    async write({ stored, timestampUs }) {
      if (stored === null) throw new LeadlineError('INTERNAL', 'A 16-bit map was not rendered')
      const png = await sharp(stored, { raw: { ...size, channels: 1 } })
        .toColourspace('grey16')
        .png({ compressionLevel: 6, adaptiveFiltering: true })
        .toBuffer()
      await zip.add(`${String(times.length).padStart(6, '0')}.png`, png)
      times.push(timestampUs / 1e6)
    },
    async close() {
      const meaning = { scale, offset: range.min, quantity, ...size, times }
      await zip.add('scale.json', Buffer.from(JSON.stringify(meaning, null, 2)))
      await zip.close()
    },
    abort: () => zip.abort()
  }
}
