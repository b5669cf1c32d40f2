import { asLeadlineError, LeadlineError } from '../errors.ts'
import type { Quantity, ValidFrame } from '../frame.ts'
import { flags } from '../frame.ts'
import type { ResetReason, SessionEvent, SessionOptions } from '../session.ts'
import { viewDepth } from './depth-view.ts'
import type { DepthView } from './depth-view.ts'
import { planKey } from './executor.ts'
import type { Plan, StateHandle } from './executor.ts'
import { frameGrid } from './frame-grid.ts'
import type { FrameGrid } from './frame-grid.ts'
import { FrameLine } from './frame-line.ts'
import type { ModelLease } from './model-shelf.ts'
import { Outcomes } from './outcomes.ts'
import type { Place } from './outcomes.ts'
import { encodeDepth } from './postprocess.ts'
import type { DepthLabels, DepthMap } from './postprocess.ts'
import { prepareFrame } from './preprocess.ts'
import type { PreparedFrame, PrepareOptions } from './preprocess.ts'
import { newScene, watchScene } from './scene-cut.ts'
import type { Scene } from './scene-cut.ts'
import { planOf } from './session-plan.ts'
import type { SessionPlan } from './session-plan.ts'
import { breaks, extended, forget, startOfTimeline } from './timeline.ts'
import type { Timeline } from './timeline.ts'

export interface EngineSessionOptions {
  id: string
  plan: SessionPlan
  options: SessionOptions
  quantity: Quantity
  prepare: PrepareOptions
  emit: (event: SessionEvent) => void
  /** Called whenever a frame may have become ready for its step. */
  onReady: () => void
  /** Called when nothing that follows could be right. */
  onFailure: (failure: LeadlineError) => void
}

/** A frame between arrival and outcome. */
interface Accepted {
  frame: ValidFrame
  place: Place
  receivedAtMs: number
  prepared: PreparedFrame | null
  /** Null when nobody looks at it. */
  grid: FrameGrid | null
}

/** A frame that is ready for its step. */
export interface ReadyFrame {
  plan: Plan
  planKey: string
  /** It leaves the line and enters its step. Once, and at once: a later frame may supersede it. */
  take: () => SteppingFrame
}

/** A frame in its step, with all that its result must say. */
export interface SteppingFrame {
  place: Place
  prepared: PreparedFrame
  grid: FrameGrid | null
  framesSeen: number
  labels: Omit<DepthLabels, 'computeUs'>
  /** What precedes its outcome: a reset, when it could not continue the epoch. */
  before: SessionEvent[]
}

/** Where the latent cache of a session lies. */
export interface Residence {
  planKey: string
  lease: ModelLease
  state: StateHandle
  /** Nothing has been stepped on this state yet. */
  isNew: boolean
}

/** Results being encoded at a time; a slow encoder holds back the steps rather than pile up maps. */
const maxEncoding = 2

/**
 * One session inside the engine: decodes its frames ahead of their step, knows what its latent cache has seen, encodes
 * the results and puts outcomes in order. Which session steps when is not decided here.
 */
export class EngineSession {
  readonly id: string
  /** Where the latent cache lies; the engine moves it. */
  residence: Residence | null = null
  /** Set while the engine steps or moves the state. */
  occupied: Promise<void> | null = null
  /** The turn at which this session was last served; 0 before that. */
  waitingSince = 0
  readonly #options: EngineSessionOptions
  readonly #line: FrameLine<Accepted>
  readonly #outcomes: Outcomes
  #timeline: Timeline = startOfTimeline
  /** As the frames stepped so far show it. */
  #scene: Scene = newScene
  #view: DepthView | null = null
  #droppedBefore = false
  #encoding = 0

  constructor(options: EngineSessionOptions) {
    this.id = options.id
    this.#options = options
    this.#line = new FrameLine(options.options.delivery)
    this.#outcomes = new Outcomes(options.emit)
  }

  /** Whether the state holds what later frames need and nothing else has. */
  get remembers(): boolean {
    return this.#options.plan.mode !== 'single' && this.#timeline.framesSeen > 0
  }

  submit(frame: ValidFrame): void {
    const place = this.#outcomes.take(frame.header.seq)
    const accepted: Accepted = { frame, place, receivedAtMs: performance.now(), prepared: null, grid: null }
    this.#supersede(this.#line.add(accepted))
    this.#decodeAhead()
  }

  flush(id: string): void {
    this.#outcomes.settle(this.#outcomes.take(null), { type: 'flushed', id })
  }

  reset(): void {
    this.#line.addReset(this.#outcomes.take(null))
    this.#options.onReady()
  }

  /** The frame that could be stepped now, or null. Resets that stand before it take effect. */
  front(): ReadyFrame | null {
    let front = this.#line.front()
    for (; front?.kind === 'reset'; front = this.#line.front()) this.#takeReset(front.place)
    if (!front || this.#encoding >= maxEncoding) return null
    const { frame } = front
    const { prepared } = frame
    if (!prepared) return null
    const plan = planOf(this.#options.plan, prepared.size)
    const key = planKey(plan)
    return { plan, planKey: key, take: () => this.#take(frame, prepared, key) }
  }

  /** Encode the depth of a stepped frame; its outcome follows in order. */
  finish(stepped: SteppingFrame, networkDepth: Float32Array, computeMs: number): void {
    const { size, source } = stepped.prepared
    const isFirst = (stepped.labels.flags & flags.first) !== 0
    const network = { depth: networkDepth, size, grid: stepped.grid }
    const viewed = viewDepth(isFirst ? null : this.#view, network, this.#options.options)
    if (!viewed) return this.#options.onFailure(notFinite(stepped.labels.seq))
    const { view, depth, range } = viewed
    this.#view = view
    const labels = { ...stepped.labels, computeUs: microseconds(computeMs) }
    void this.#encode(stepped, { depth, size, source, range, display: view.display }, labels)
  }

  /** Every frame without an outcome fails, then the session itself. Nothing is emitted afterwards. */
  fail(failure: LeadlineError): void {
    this.#line.clear()
    this.#outcomes.fail(failure)
  }

  /** Every frame without an outcome is dropped with reason "closed". Nothing is emitted afterwards. */
  end(): void {
    this.#line.clear()
    this.#outcomes.end()
  }

  #decodeAhead(): void {
    for (let next = this.#line.nextToDecode(); next; next = this.#line.nextToDecode()) void this.#decode(next)
  }

  async #decode(accepted: Accepted): Promise<void> {
    try {
      const prepared = await prepareFrame(accepted.frame, this.#options.prepare)
      const { sceneCut, stabilize } = this.#options.options
      accepted.grid = sceneCut || stabilize ? frameGrid(prepared.rgb, prepared.size) : null
      accepted.prepared = prepared
      this.#supersede(this.#line.decoded(accepted, 'ready'))
    } catch (error) {
      this.#line.decoded(accepted, 'failed')
      this.#outcomes.settle(accepted.place, frameError(accepted.frame.header.seq, error))
    }
    this.#decodeAhead()
    this.#options.onReady()
  }

  async #encode(stepped: SteppingFrame, map: DepthMap, labels: DepthLabels): Promise<void> {
    const { seq } = labels
    this.#encoding += 1
    try {
      const message = await encodeDepth(map, labels, this.#options.options.output)
      this.#outcomes.settle(stepped.place, ...stepped.before, { type: 'result', seq, message })
    } catch (error) {
      this.#outcomes.settle(stepped.place, ...stepped.before, frameError(seq, error))
    }
    this.#encoding -= 1
    this.#options.onReady()
  }

  #take({ frame, place, receivedAtMs, grid }: Accepted, prepared: PreparedFrame, key: string): SteppingFrame {
    this.#line.advance()
    const { seq, timestampUs } = frame.header
    const before = this.#breakEpoch(this.#whyBreak(key, grid), seq)
    const { epoch, framesSeen } = this.#timeline
    const queueUs = microseconds(performance.now() - receivedAtMs)
    const { quantity } = this.#options
    const labels = { flags: this.#takeFlags(), seq, timestampUs, epoch, quantity, queueUs }
    this.#timeline = extended(this.#timeline, key)
    if (this.residence) this.residence.isNew = false
    // Starting a decode takes half a millisecond of this thread: the step is sent off first.
    queueMicrotask(() => this.#decodeAhead())
    return { place, prepared, grid, framesSeen, labels, before }
  }

  #supersede(frames: readonly Accepted[]): void {
    if (frames.length > 0) this.#droppedBefore = true
    for (const { place, frame } of frames) {
      this.#outcomes.settle(place, { type: 'drop', seq: frame.header.seq, reason: 'superseded' })
    }
  }

  #takeReset(place: Place): void {
    this.#line.advance()
    this.#timeline = forget(this.#timeline)
    const { epoch } = this.#timeline
    this.#outcomes.settle(place, { type: 'reset', seq: null, epoch, reason: 'client' })
  }

  /** Why a frame cannot continue the epoch; null when it can. */
  #whyBreak(key: string, grid: FrameGrid | null): ResetReason | null {
    // The cache was given up for a frame of another size, which was then superseded: its past is gone all the same.
    const isPastLost = this.remembers && this.residence?.isNew === true
    const isCut = this.#watch(grid)
    if (isPastLost || breaks(this.#timeline, key)) return 'resolution'
    return isCut ? 'sceneCut' : null
  }

  /** Whether a frame, which is taken next, begins another scene. */
  #watch(grid: FrameGrid | null): boolean {
    if (!grid || !this.#options.options.sceneCut) return false
    const isFirst = this.#timeline.framesSeen === 0
    const { scene, isCut } = watchScene(isFirst ? newScene : this.#scene, grid)
    this.#scene = scene
    return isCut
  }

  #breakEpoch(reason: ResetReason | null, seq: number): SessionEvent[] {
    if (reason === null) return []
    this.#timeline = forget(this.#timeline)
    return [{ type: 'reset', seq, epoch: this.#timeline.epoch, reason }]
  }

  #takeFlags(): number {
    const found =
      (this.#timeline.framesSeen === 0 ? flags.first : 0) | (this.#droppedBefore ? flags.droppedBefore : 0)
    this.#droppedBefore = false
    return found
  }
}

function frameError(seq: number, error: unknown): SessionEvent {
  const { code, message } = asLeadlineError(error)
  return { type: 'error', seq, code, detail: message }
}

/** A NaN stays in the latent cache and spoils every frame after it. */
function notFinite(seq: number): LeadlineError {
  return new LeadlineError(
    'EXECUTOR_FAILED',
    `The depth of frame ${seq} holds NaN or infinity; the latent cache cannot be trusted any more`
  )
}

/** As the header holds it, in 32 bits. */
function microseconds(ms: number): number {
  return Math.min(2 ** 32 - 1, Math.round(ms * 1000))
}
