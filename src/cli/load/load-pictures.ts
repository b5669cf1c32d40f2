import type { FrameInput } from '../../client/index.ts'
import { generateClip } from '../../video/index.ts'
import { encodeFrame } from '../frame-encoder.ts'
import { fileSource } from '../video-source.ts'

export type Picture = Omit<FrameInput, 'timestampUs'>

/** So many are kept, of the start of a video; sessions show them again and again. */
const maxPictures = 120
const ownClip = { width: 640, height: 360, fps: 24, frames: 24 }

/**
 * The frames of a file, or of a clip drawn here, as JPEG and made beforehand, so that this takes no time from what is measured.
 * There and back, so that no cut comes where they begin anew. Throws CLIP_INVALID, TOOL_MISSING.
 */
export async function loadPictures(video: string | undefined, signal: AbortSignal): Promise<Picture[]> {
  const frames = video === undefined ? generateClip(ownClip) : (await fileSource(video)).frames()
  const pictures: Picture[] = []
  for await (const frame of frames) {
    signal.throwIfAborted()
    pictures.push(await encodeFrame(frame, 'jpeg'))
    if (pictures.length === maxPictures) break
  }
  return [...pictures, ...pictures.slice(1, -1).reverse()]
}
