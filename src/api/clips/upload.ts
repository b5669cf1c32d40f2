import { open } from 'node:fs/promises'
import { LeadlineError } from '../../errors.ts'
import type { BodyPieces } from '../body-pieces.ts'

/** Write an upload to disk as it comes. Throws CLIP_TOO_LARGE as soon as it is, CLIP_INVALID when nothing comes. */
export async function saveUpload(pieces: BodyPieces, filePath: string, maxBytes: number): Promise<void> {
  let bytes = 0
  const file = await open(filePath, 'w')
  try {
    for await (const piece of pieces) {
      bytes += piece.byteLength
      if (bytes > maxBytes) throw clipTooLarge(maxBytes)
      await file.appendFile(piece)
    }
  } finally {
    await file.close()
  }
  if (bytes === 0) throw new LeadlineError('CLIP_INVALID', 'The clip is empty; send a video')
}

export function clipTooLarge(maxBytes: number): LeadlineError {
  return new LeadlineError(
    'CLIP_TOO_LARGE',
    `A clip may have ${maxBytes} bytes at most; cut it, encode it smaller, or raise LEADLINE_MAX_CLIP_BYTES`
  )
}
