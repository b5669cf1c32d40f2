/** What is wrong with some frames of a video that could be read all the same. */
export interface VideoWarning {
  /** Numbers of the first and the last frame concerned, from 0, as near as the decoder tells. */
  firstFrame: number
  lastFrame: number
  /** What the decoder says. */
  detail: string
}

/** A decoder works up to this many frames ahead of the one that comes out of it: the damage lies within them. */
const leadFrames = 16
/** A file that is damaged all over is not described at any length. */
const maxWarnings = 100

/** Gathers complaints, which come in the order of the frames, into ranges. */
export class WarningLog {
  readonly #warnings: VideoWarning[] = []

  /** `frame`: the next one that will come out. */
  add(frame: number, detail: string): void {
    const last = this.#warnings.at(-1)
    const lastFrame = frame + leadFrames
    if (last !== undefined && (frame <= last.lastFrame || this.#warnings.length === maxWarnings)) {
      last.lastFrame = lastFrame
    } else this.#warnings.push({ firstFrame: frame, lastFrame, detail })
  }

  /** Of a video that turned out to have this many frames. */
  among(count: number): VideoWarning[] {
    const last = Math.max(0, count - 1)
    return this.#warnings.map(({ firstFrame, lastFrame, detail }) => ({
      firstFrame: Math.min(firstFrame, last),
      lastFrame: Math.min(lastFrame, last),
      detail
    }))
  }
}
