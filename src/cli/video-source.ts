import { setImmediate } from 'node:timers/promises'
import type { VideoFrame, VideoWarning } from '../video/index.ts'
import { createVideoWriter, generateClip, probeVideo, readVideo } from '../video/index.ts'
import { checkVideoFile } from './video-file.ts'

/** Frames to stream. */
export interface VideoSource {
  width: number
  height: number
  /** Average; null when it is not known beforehand. */
  fps: number | null
  /** null when it is not known beforehand. */
  frameCount: number | null
  frames(): Iterable<VideoFrame> | AsyncIterable<VideoFrame>
  /** What is wrong with them; complete once all were read. */
  warnings: readonly VideoWarning[]
}

/** Throws CLIP_INVALID, TOOL_MISSING. */
export async function fileSource(videoPath: string): Promise<VideoSource> {
  await checkVideoFile(videoPath)
  const warnings: VideoWarning[] = []
  const frames = () => readVideo(videoPath, undefined, (found) => void warnings.push(...found))
  return { ...(await probeVideo(videoPath)), frames, warnings }
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
