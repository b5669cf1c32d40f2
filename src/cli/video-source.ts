import { setImmediate } from 'node:timers/promises'
import type { Size, VideoFrame, VideoWarning } from '../video/index.ts'
import {
  createVideoWriter,
  generateClip,
  imagesOf,
  probeVideo,
  readImages,
  readVideo
} from '../video/index.ts'
import { checkVideoFile } from './video-file.ts'

/** Frames to stream. */
export interface VideoSource {
  /** Average; null when it is not known beforehand. */
  fps: number | null
  /** null when it is not known beforehand. */
  frameCount: number | null
  frames(): Iterable<VideoFrame> | AsyncIterable<VideoFrame>
  /** What is wrong with them; complete once all were read. */
  warnings: readonly VideoWarning[]
  /** Of a source that comes at its own pace and has no end of its own; null: it is read as fast as it goes. */
  live: { end(): void } | null
}

/** The images of a folder, `fps` a second. Throws CLIP_INVALID. */
export async function folderSource(folder: string, fps: number): Promise<VideoSource> {
  const images = await imagesOf(folder)
  const frames = () => readImages(images, fps)
  return { fps, frameCount: images.length, frames, warnings: [], live: null }
}

/** Throws CLIP_INVALID, TOOL_MISSING. */
export async function fileSource(videoPath: string): Promise<VideoSource & Size> {
  await checkVideoFile(videoPath)
  const warnings: VideoWarning[] = []
  const frames = () => readVideo(videoPath, undefined, (found) => void warnings.push(...found))
  return { ...(await probeVideo(videoPath)), frames, warnings, live: null }
}

/** Draw four seconds of the project's own clip into a file, so that drawing takes no time from what is measured. */
export async function drawDemoClip(videoPath: string, signal: AbortSignal): Promise<void> {
  const clip = { width: 640, height: 360, fps: 24, frames: 96 }
  const writer = await createVideoWriter(videoPath, clip)
  try {
    for (const { rgb } of generateClip(clip)) {
      await writer.write(rgb)
      // Drawing itself never yields, and an interrupt has to be heard.
      await setImmediate(undefined, { signal })
    }
    await writer.close()
  } finally {
    await writer.abort()
  }
}
