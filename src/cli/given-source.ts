import { stat } from 'node:fs/promises'
import type { Delivery } from '../session.ts'
import { liveAddress } from '../video/index.ts'
import { liveSource } from './live-source.ts'
import type { VideoSource } from './video-source.ts'
import { fileSource, folderSource } from './video-source.ts'

/** What was given as a source, and how it is to be read. */
export interface SourceWishes {
  /** Of the images of a folder. */
  fps: number
  /** null: what the source is made for. */
  delivery: Delivery | null
  /** What becomes of a live source, for people. */
  say: (line: string) => void
}

/**
 * Frames of a file, a folder of images, an address, a camera or standard input, by the spelling of `text` and what is there.
 * Throws CLIP_INVALID, REQUEST_INVALID, TOOL_MISSING.
 */
export async function givenSource(
  text: string,
  wishes: SourceWishes
): Promise<{ source: VideoSource; delivery: Delivery }> {
  const address = liveAddress(text)
  if (address !== null) return liveSource(address, wishes)
  const found = await stat(text).catch(() => null)
  const source = found?.isDirectory() ? await folderSource(text, wishes.fps) : await fileSource(text)
  return { source, delivery: wishes.delivery ?? 'lossless' }
}
