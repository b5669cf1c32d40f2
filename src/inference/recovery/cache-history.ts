import type { Continuity, ReplayShape } from '../../session.ts'
import { ReplayFrames } from './replay.ts'
import type { KeptFrame } from './replay.ts'
import { extended, forget, passed, startOfTimeline } from './timeline.ts'
import type { Timeline } from './timeline.ts'

/** A frame that was stepped before and is stepped again, to make a lost latent cache anew. */
export interface ReplayedFrame {
  frame: KeptFrame
  framesSeen: number
  /** What becomes of the past by it. */
  continuity: Continuity
}

/** What a latent cache had seen that was elsewhere. */
export interface SeenElsewhere {
  epoch: number
  /** In the epoch; null: not known. */
  framesSeen: number | null
  /** Of those frames; null: not known. */
  digest: string | null
  /** Of all frames; null when there is none. */
  planKey: string | null
  /** The last ones, those that showed nothing left out. */
  frames: readonly KeptFrame[]
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
  /** What another cache had seen, until this one has seen it too. */
  #adopted: KeptFrame[] | null = null
  #replay: KeptFrame[] = []
  #numReplayed = 0
  /** By the replay. */
  #remade: Continuity = 'exact'
  /** What became of the past in a loss that nobody was told of. */
  #untold: Continuity | null = null

  constructor(shape: ReplayShape) {
    this.#frames = new ReplayFrames(shape)
  }

  get timeline(): Timeline {
    return this.#timeline
  }

  /** The frames that are kept, in the order in which they were seen. */
  get kept(): KeptFrame[] {
    return this.#frames.list()
  }

  /** What became of the past in a loss that nobody was told of; null when nothing was lost. */
  get untold(): Continuity | null {
    return this.#untold
  }

  /**
   * Go on from what another cache had seen, before any frame. This one is made anew unless it `holds` all that itself. `untold`: what
   * became of the past before, and nobody was told.
   */
  adopt(past: SeenElsewhere, { holds, untold = null }: { holds: boolean; untold?: Continuity | null }): void {
    this.#untold = untold
    const { epoch, framesSeen, planKey, frames } = past
    for (const frame of frames) this.#frames.add(frame)
    this.#adopted = [...frames]
    const digest = past.digest ?? seenAnew(epoch, frames, planKey).digest
    this.#timeline = { epoch, framesSeen: framesSeen ?? Infinity, digest, planKey }
    if (holds || framesSeen === 0) this.hold()
    else this.#remake()
  }

  /** The latent cache was away, and is back as it was. */
  hold(): void {
    this.#adopted = null
    this.#untold ??= 'exact'
  }

  /** A frame enters its step. Returns how many the cache has seen before it. */
  see(frame: KeptFrame, planKey: string): number {
    this.#previous = this.#timeline
    this.#timeline = extended(this.#timeline, planKey, { seq: frame.seq, ...frame.prepared })
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
    this.#adopted = null
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
    if (this.#isLost) this.#remake()
    const frame = this.#replay[this.#numReplayed]
    if (frame) return { frame, framesSeen: this.#numReplayed, continuity: this.#remade }
    this.#adopted = null
    return null
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

  #remake(): void {
    this.#isLost = false
    this.#numReplayed = 0
    this.#replay = []
    const { epoch, framesSeen, digest, planKey } = this.#timeline
    if (framesSeen === 0) return
    this.#replay = this.#adopted ?? this.#frames.list()
    const anew = seenAnew(epoch, this.#replay, planKey)
    const isAll = anew.framesSeen === framesSeen && anew.digest === digest
    // Lost once more before anybody was told: what was less than exact stays so.
    this.#remade = isAll ? (this.#untold ?? 'exact') : anew.framesSeen > 0 ? 'rebuilt' : 'new'
    this.#untold = this.#remade
    if (!isAll) this.#timeline = { ...anew, epoch: epoch + 1 }
  }
}

/** Where a cache is that has seen these frames of an epoch, and no others. */
function seenAnew(epoch: number, frames: readonly KeptFrame[], planKey: string | null): Timeline {
  const start: Timeline = { ...startOfTimeline, epoch }
  return frames.reduce(
    (timeline, { seq, prepared: { payloadDigest } }) => extended(timeline, planKey!, { seq, payloadDigest }),
    start
  )
}
