import type { VideoFrame } from '../video/index.ts'
import { generateClip, probeVideo, readVideo } from '../video/index.ts'

/** Frames to stream, from a file or drawn. */
export interface VideoSource {
  width: number
  height: number
  fps: number
  /** null when it is not known beforehand. */
  frameCount: number | null
  frames(): Iterable<VideoFrame> | AsyncIterable<VideoFrame>
}

/** Throws CLIP_INVALID, TOOL_MISSING. */
export async function fileSource(videoPath: string): Promise<VideoSource> {
  return { ...(await probeVideo(videoPath)), frames: () => readVideo(videoPath) }
}

/** Four seconds of the project's own clip. */
export function demoSource(): VideoSource {
  const clip = { width: 640, height: 360, fps: 24 }
  return { ...clip, frameCount: 96, frames: () => generateClip({ ...clip, frames: 96 }) }
}
