import { setImmediate } from 'node:timers/promises'
import type { DecoderMessage } from './decoder-message.ts'
import type { VideoWarning } from './video-warning.ts'
import { WarningLog } from './video-warning.ts'

/**
 * ffmpeg says a frame's time before it writes the frame: when the frame is here, its line lies in the other pipe, and
 * is read within the next two turns of the event loop.
 */
const turnsBehind = 3

/** What ffmpeg says while it decodes: the times of the frames, and what was damaged near which of them. */
export class ReadingLog {
  readonly #stamps: (number | null)[] = []
  readonly #warnings = new WarningLog()
  #frames = 0
  #isDamaged = false

  add(message: DecoderMessage): void {
    if (message.kind === 'frame') {
      this.#stamps.push(message.stampUs)
      this.#frames++
    }
    if (message.kind !== 'damage') return
    this.#isDamaged = true
    this.#warnings.add(this.#frames, message.detail)
  }

  get isDamaged(): boolean {
    return this.#isDamaged
  }

  /** The time of a frame that is here, by the file; null when it has none. Once for each frame, in order. */
  async nextStamp(): Promise<number | null> {
    for (let turn = 0; this.#stamps.length === 0 && turn < turnsBehind; turn++) await setImmediate()
    return this.#stamps.shift() ?? null
  }

  /** Of a file of which `count` frames came and `missing` did not; where it is cut, those are its last. */
  warnings(count: number, { missing, isCut }: { missing: number; isCut: boolean }): VideoWarning[] {
    const ranges = this.#warnings.among(count)
    if (missing === 0) return ranges
    if (isCut) {
      const detail = `the file is cut short or damaged: ${count} of ${count + missing} frames could be read`
      return [...ranges, { firstFrame: count - 1, lastFrame: count - 1, detail }]
    }
    const detail = `${missing} of ${count + missing} frames could not be decoded and are left out`
    return [{ firstFrame: 0, lastFrame: count - 1, detail }, ...ranges]
  }
}
