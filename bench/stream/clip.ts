import { generateClip } from '../../src/video/index.ts'

/** The frames both sides see: the project's own clip, 16:9, which the nano model takes at 192x352. */
export function clip(frames: number): { rgb: Uint8Array; width: number; height: number }[] {
  const size = { width: 640, height: 360 }
  return [...generateClip({ ...size, frames, fps: 24 })].map(({ rgb }) => ({ rgb, ...size }))
}
