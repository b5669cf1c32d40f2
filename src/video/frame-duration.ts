/** Of a video that does not say: what most cameras give. */
const usualFps = 25

/** How long a frame is shown where nothing tells, in microseconds. `fps`: average of the video; null when unknown. */
export function frameDurationUs(fps: number | null): number {
  return 1e6 / (fps ?? usualFps)
}
