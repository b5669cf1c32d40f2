import type { VideoWarning } from '../video/index.ts'

/** Say on stderr what was damaged in a video that was read all the same. */
export function reportWarnings(warnings: readonly VideoWarning[], isSilent: boolean): void {
  if (isSilent) return
  for (const { firstFrame, lastFrame, detail } of warnings) {
    const where = firstFrame === lastFrame ? `frame ${firstFrame}` : `frames ${firstFrame} to ${lastFrame}`
    console.error(`warning: the video is damaged near ${where}: ${detail}`)
  }
}
