import type { Meter } from '../metering/measures.ts'
import { dayOf } from '../metering/measures.ts'
import type { ClipRow } from './books/clip-book.ts'

/** Longer than it may take until somebody finds a clip whose end was counted and not written down. */
const keptMs = 30 * 86_400_000

/**
 * Counts clips: what came when it is taken in, the rest once it has ended, each once. Its time on the device is counted by the
 * sessions that run it.
 */
export class ClipUsage {
  readonly #meter: Meter

  constructor(meter: Meter) {
    this.#meter = meter
  }

  /** Throws STORE_UNAVAILABLE. */
  async taken({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>, bytesIn: number): Promise<void> {
    const mark = { name: `video:${clip.id}`, number: 1, keptMs }
    await this.#meter.count({ owner, day: dayOf(Date.parse(clip.createdAt)), amounts: { bytesIn }, mark })
  }

  /** Throws STORE_UNAVAILABLE. */
  async ended({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>): Promise<void> {
    const { id, progress, video, bytes: bytesOut = 0, createdAt, endedAt = createdAt } = clip
    const { frames: clipFrames } = progress
    const amounts = { clipFrames, pixels: clipFrames * video.width * video.height, bytesOut }
    const mark = { name: `clip:${id}`, number: 1, keptMs }
    await this.#meter.count({ owner, day: dayOf(Date.parse(endedAt)), amounts, mark })
  }
}
