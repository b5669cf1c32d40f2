import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LeadlineError } from '../../errors.ts'

/** Write an upload to disk as it comes. Throws CLIP_TOO_LARGE as soon as it is, CLIP_INVALID when nothing comes. */
export async function saveUpload(upload: Readable, filePath: string, maxBytes: number): Promise<void> {
  let bytes = 0
  await pipeline(
    upload,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        bytes += chunk.byteLength
        if (bytes > maxBytes) throw tooLarge(maxBytes)
        yield chunk
      }
    },
    createWriteStream(filePath)
  )
  if (bytes === 0) throw new LeadlineError('CLIP_INVALID', 'The clip is empty; send a video')
}

function tooLarge(maxBytes: number): LeadlineError {
  return new LeadlineError(
    'CLIP_TOO_LARGE',
    `A clip may have ${maxBytes} bytes at most; cut it or encode it smaller`
  )
}
