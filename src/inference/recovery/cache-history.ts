import type { Continuity, ReplayShape } from '../../session.ts'
import { ReplayFrames } from './replay.ts'
import type { KeptFrame } from './replay.ts'
import { extended, forget, passed, startOfTimeline } from './timeline.ts'
import type { FrameMark, Timeline } from './timeline.ts'

/** A frame that was stepped before and is stepped again, to make a lost latent cache anew. */
export interface ReplayedFrame {
  frame: KeptFrame
  framesSeen: number
}

/**
 * What a session's latent cache has seen, and how it is made anew when it is lost: the kept frames are stepped again from
 * nothing. When they are all that the cache had seen, the epoch goes on: the new one equals the old bit for bit, or, where
 * steps are shared with others than before, but for rounding.
 */
export class CacheHistory {
  readonly #frames: ReplayFrames
  #timeline: Timeline = startOfTimeline
  /** Before the last frame. */
  #previous: Timeline = startOfTimeline
  #isLost = false
  #replay: KeptFrame[] = []
  #numReplayed = 0
  /** What became of the past in a loss that nobody was told of. */
  #untold: Continuity | null = null

  constructor(shape: ReplayShape) {
    this.#frames = new ReplayFrames(shape)
  }

  get timeline(): Timeline {
    return this.#timeline
  }

  /** A frame enters its step. Returns how many the cache has seen before it. */
  see(frame: KeptFrame, planKey: string): number {
    this.#previous = this.#timeline
    this.#timeline = extended(this.#timeline, planKey, markOf(frame))
    this.#frames.add(frame)
    return this.#previous.framesSeen
  }

  /** A blank frame enters its step, which the cache will not remember. Returns as `see`. */
  pass(planKey: string): number {
    this.#timeline = passed(this.#timeline, planKey)
    return this.#timeline.framesSeen
  }

  /** The step of the last frame was cut off by a loss: it will be seen again, after those before it. Not of a blank one. */
  unsee(): void {
    this.#timeline = this.#previous
    this.#frames.removeLast()
  }

  /** A new epoch begins, of which nothing can be lost so far. */
  forget(): void {
    this.#timeline = forget(this.#timeline)
    this.#frames.clear()
    this.#replay = []
    this.#isLost = false
    this.#untold = null
  }

  /** The latent cache is gone. */
  lose(): void {
    this.#isLost = true
  }

  /** The next frame to step again, or null when the cache holds what can be had. */
  replayed(): ReplayedFrame | null {
    if (this.#isLost) this.#startReplay()
    const frame = this.#replay[this.#numReplayed]
    return frame ? { frame, framesSeen: this.#numReplayed } : null
  }

  /** The frame that `replayed` gave enters its step. */
  advance(): void {
    this.#numReplayed += 1
  }

  /** The step of the frame that `advance` let in did not happen: `replayed` gives it again. */
  retreat(): void {
    this.#numReplayed -= 1
  }

  /** What became of the past in the last loss, once; null when nothing was lost. */
  tell(): Continuity | null {
    const untold = this.#untold
    this.#untold = null
    return untold
  }

  #startReplay(): void {
    this.#isLost = false
    this.#numReplayed = 0
    this.#replay = []
    const { framesSeen, planKey } = this.#timeline
    if (framesSeen === 0) return
    this.#replay = this.#frames.list()
    const kept = this.#replay.length
    if (kept === framesSeen) {
      this.#untold ??= 'exact'
      return
    }
    this.#untold = kept > 0 ? 'rebuilt' : 'new'
    this.#timeline = forget(this.#timeline)
    for (const frame of this.#replay) this.#timeline = extended(this.#timeline, planKey!, markOf(frame))
  }
}

function markOf({ seq, prepared: { payloadDigest } }: KeptFrame): FrameMark {
  return { seq, payloadDigest }
}
