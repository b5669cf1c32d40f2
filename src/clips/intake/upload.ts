import { open } from 'node:fs/promises'
import { LeadlineError } from '../../errors.ts'
import type { DiskRoom } from '../storage/disk-room.ts'

/** The disk is looked at once in so many bytes. */
const bytesPerLook = 2 ** 24

export interface SaveLimits {
  maxClipBytes: number
  room: DiskRoom
}

/**
 * Write an upload to disk as it comes. Throws CLIP_TOO_LARGE and STORAGE_FULL as soon as it is, CLIP_INVALID when nothing
 * comes.
 */
export async function saveUpload(
  pieces: AsyncIterable<Uint8Array>,
  filePath: string,
  { maxClipBytes, room }: SaveLimits
): Promise<void> {
  let bytes = 0
  let nextLook = bytesPerLook
  const file = await open(filePath, 'w')
  try {
    for await (const piece of pieces) {
      bytes += piece.byteLength
      if (bytes > maxClipBytes) throw clipTooLarge(maxClipBytes)
      if (bytes >= nextLook) await room.check()
      while (bytes >= nextLook) nextLook += bytesPerLook
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
    `A clip may have ${maxBytes} bytes at most; cut it, encode it smaller, or have LEADLINE_MAX_CLIP_BYTES, or the limit of its key, raised`
  )
}
