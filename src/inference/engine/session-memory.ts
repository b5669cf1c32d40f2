import type { Quantity } from '../../wire/frame.ts'
import type { Alignment, ResetReason, SessionContext, SessionEvent, Steadiness } from '../../session.ts'
import { CacheHistory } from '../recovery/cache-history.ts'
import type { ReplayedFrame } from '../recovery/cache-history.ts'
import type { UntoldLoss } from '../recovery/context-notes.ts'
import type { HeldLatents, Past } from '../recovery/past.ts'
import { replayShape } from '../recovery/replay.ts'
import { breaks } from '../recovery/timeline.ts'
import type { Timeline } from '../recovery/timeline.ts'
import { writeContext } from '../recovery/write-context.ts'
import type { Size } from '../pixels/resolution.ts'
import { framesSeenAtOnce } from '../latents/window.ts'
import type { SessionPlan } from '../session-plan.ts'
import { viewDepth } from '../stability/depth-view.ts'
import type { DepthView, NetworkDepth, ViewedDepth } from '../stability/depth-view.ts'
import { depthOfCells, frameGrid } from '../stability/frame-grid.ts'
import { newScene, watchScene } from '../stability/scene-cut.ts'
import type { Scene } from '../stability/scene-cut.ts'
import { joinSeam } from '../stability/seam.ts'
import type { GivenSeam } from '../stability/given-seam.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'

export interface SessionMemoryOptions {
  plan: SessionPlan
  wishes: Steadiness
  quantity: Quantity
  /** Whether frames may be kept, to make a lost latent cache anew. */
  keepsFrames: boolean
}

/** How a frame enters its step. */
export interface Entry {
  epoch: number
  /** By the cache, before this one. */
  framesSeen: number
  /** Of an epoch, or of its memory. */
  isFirst: boolean
  /** What precedes the outcome: a reset, when it could not continue the epoch; what became of a lost past. */
  before: SessionEvent[]
}

/**
 * What a session remembers of its frames: what its latent cache has seen and how that is made anew, when a scene ends, and
 * how depth is shown. Which of it a loss takes, and what the frames teach again.
 */
export class SessionMemory {
  readonly #options: SessionMemoryOptions
  readonly history: CacheHistory
  /** As the frames stepped so far show it. */
  #scene: Scene = newScene
  #view: DepthView | null = null
  /** Of the epoch's frames. */
  #size: Size | null = null
  /** The view is learned again from the frames that are stepped again, and joined to this map if there is one. */
  #relearns: { seam: GivenSeam | null } | null = null
  /** Of the last rebuild, until it is told. */
  #alignment: Alignment | null = null

  constructor(options: SessionMemoryOptions) {
    this.#options = options
    const { plan, keepsFrames } = options
    this.history = new CacheHistory(replayShape(keepsFrames ? plan : { ...plan, mode: 'single' }))
  }

  get timeline(): Timeline {
    return this.history.timeline
  }

  /** Between two frames. `latents`: the cache itself, if it is wished. */
  context(latents: HeldLatents | null): SessionContext {
    const { timeline, kept } = this.history
    const learned = { size: this.#size, scene: this.#scene, view: this.#view, loss: this.#loss }
    return writeContext({ timeline, kept, ...learned }, latents)
  }

  get #loss(): UntoldLoss | null {
    const { untold: continuity } = this.history
    return continuity && { continuity, alignment: this.#alignment }
  }

  /** Whether the cache holds what later frames need and nothing else has. */
  get remembers(): boolean {
    return this.#options.plan.mode !== 'single' && this.timeline.framesSeen > 0
  }

  /** Go on from another session's past, before any frame. */
  adopt(past: Past): void {
    this.#scene = past.scene
    this.#size = past.size
    this.#view = past.view
    this.#relearns = past.view ? null : { seam: past.seam }
    this.#alignment = past.loss?.alignment ?? null
    this.history.adopt(past, { holds: past.holds, untold: past.loss?.continuity ?? null })
  }

  /** A frame enters its step. `isCacheNew`: nothing has been stepped on it yet. */
  enter(seq: number, seen: SeenFrame, planKey: string, isCacheNew: boolean): Entry {
    const reason = this.#whyBreak(planKey, seen, isCacheNew)
    if (reason === null) return this.reenter(seq, seen, planKey)
    this.history.forget()
    const entry = this.reenter(seq, seen, planKey)
    const reset: SessionEvent = { type: 'reset', seq, epoch: entry.epoch, reason }
    return { ...entry, before: [reset, ...entry.before] }
  }

  /** A frame whose step did not happen enters it again. */
  reenter(seq: number, { prepared, isBlank }: SeenFrame, planKey: string): Entry {
    const isFirst = isBlank ? this.timeline.planKey === null : this.timeline.framesSeen === 0
    const continuity = this.history.tell()
    // After a blank frame no more are seen: the next is stepped at the same position, and what the blank one left is gone.
    const framesSeen = isBlank ? this.history.pass(planKey) : this.history.see({ seq, prepared }, planKey)
    const { epoch } = this.timeline
    this.#size = prepared.size
    const before: SessionEvent[] = continuity ? [{ type: 'recovered', seq, epoch, continuity }] : []
    return { epoch, framesSeen, isFirst, before }
  }

  /** How the depth of a stepped frame is handed out; null when a value is NaN or infinite. */
  show(network: NetworkDepth, isFirst: boolean): ViewedDepth | null {
    this.#relearns = null
    return this.#learn(network, isFirst)
  }

  /** A frame was stepped again, and this is its depth. */
  relearn({ frame: { seq, prepared }, framesSeen, continuity }: ReplayedFrame, depth: Float32Array): void {
    if (framesSeen === 0) this.#alignment = null
    const { size, rgb } = prepared
    const network = { seq, depth, size, grid: frameGrid(rgb, size), isBlank: false }
    const seam = this.#relearns ? this.#relearns.seam : this.#view?.last
    if (continuity === 'rebuilt' && seam?.seq === seq) this.#join(network, seam.cells)
    else if (this.#relearns) this.#learn(network, framesSeen === 0)
  }

  /** What precedes an outcome, with what the rebuild came to by then. */
  told(before: readonly SessionEvent[]): SessionEvent[] {
    return before.map((event) => {
      const alignment = event.type === 'recovered' && event.continuity === 'rebuilt' && this.#alignment
      if (!alignment) return event
      this.#alignment = null
      return { ...event, alignment }
    })
  }

  #learn(network: NetworkDepth, isFirst: boolean): ViewedDepth | null {
    const { wishes, plan } = this.#options
    const windowFrames = framesSeenAtOnce(plan)
    const viewed = viewDepth(isFirst ? null : this.#view, network, { ...wishes, windowFrames })
    if (viewed) this.#view = viewed.view
    return viewed
  }

  /** The new cache's depth of the last frame that was shown, brought to what was shown. */
  #join(network: NetworkDepth, shown: Float32Array): void {
    const { depth, size, grid } = network
    const isMetric = this.#options.quantity === 'metric-depth'
    const { line, residual } = joinSeam(depthOfCells(depth, size, grid), shown, { isMetric })
    this.#alignment = { scale: line?.scale ?? 1, offset: line?.shift ?? 0, residual }
    if (this.#view && !this.#relearns) this.#view = { ...this.#view, alignment: line }
    const given = this.#relearns?.seam
    if (!given) return
    this.#view = { stabilizer: null, steady: null, display: given.display, alignment: line, last: given }
    this.#learn(network, false)
  }

  /** Why a frame cannot continue the epoch; null when it can. */
  #whyBreak(planKey: string, seen: SeenFrame, isCacheNew: boolean): ResetReason | null {
    // The cache was given up for a frame of another size, which was then superseded: its past is gone all the same.
    const isPastLost = this.remembers && isCacheNew
    const isCut = this.#watch(seen)
    if (isPastLost || breaks(this.timeline, planKey)) return 'resolution'
    return isCut ? 'sceneCut' : null
  }

  /** Whether a frame, which is taken next, begins another scene. */
  #watch({ grid, isBlank }: SeenFrame): boolean {
    if (isBlank || !this.#options.wishes.sceneCut) return false
    const isFirst = this.timeline.framesSeen === 0
    const { scene, isCut } = watchScene(isFirst ? newScene : this.#scene, grid)
    this.#scene = scene
    return isCut
  }
}
