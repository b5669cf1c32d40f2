import type { LeadlineError } from '../../errors.ts'
import type { Quantity, ValidFrame } from '../../frame.ts'
import { flags } from '../../frame.ts'
import type { ResetReason, SessionEvent, SessionOptions } from '../../session.ts'
import { emptyDigest } from '../../state-digest.ts'
import type { Rhythm } from '../scheduling/batch-wait.ts'
import { viewDepth } from '../stability/depth-view.ts'
import type { DepthView } from '../stability/depth-view.ts'
import { planKey } from '../executor.ts'
import { notFinite } from './frame-failure.ts'
import { FrameIntake } from './frame-intake.ts'
import type { AcceptedFrame } from './frame-intake.ts'
import { OrderedOutcomes } from './ordered-outcomes.ts'
import type { Place } from './ordered-outcomes.ts'
import { CacheHistory } from '../recovery/cache-history.ts'
import type { ReplayedFrame } from '../recovery/cache-history.ts'
import type { PixelWork } from '../pixels/pixel-work.ts'
import { microseconds } from '../pixels/postprocess.ts'
import type { PrepareOptions } from '../pixels/preprocess.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'
import { Probation } from '../recovery/probation.ts'
import { replayShape } from '../recovery/replay.ts'
import { ResultEncoder } from './result-encoder.ts'
import { newScene, watchScene } from '../stability/scene-cut.ts'
import type { Scene } from '../stability/scene-cut.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'
import { planOf } from '../session-plan.ts'
import type { SessionPlan } from '../session-plan.ts'
import type { AwaitedFrame, ReadyFrame, StateLocation, SteppingFrame } from './stepping-frame.ts'
import { breaks, startOfTimeline } from '../recovery/timeline.ts'

export interface EngineSessionOptions {
  id: string
  plan: SessionPlan
  options: SessionOptions
  quantity: Quantity
  prepare: PrepareOptions
  pixels: PixelWork
  /** Whether frames may be kept, to make a lost latent cache anew. */
  keepsFrames: boolean
  emit: (event: SessionEvent) => void
  /** Called whenever a frame may have become ready for its step. */
  onReady: () => void
  /** Called when nothing that follows could be right. */
  onFailure: (failure: LeadlineError) => void
}

/**
 * One session inside the engine: decodes its frames ahead of their step, knows what its latent cache has seen, encodes
 * the results and puts outcomes in order. Which session steps when is not decided here.
 */
export class EngineSession {
  readonly kind = 'frame'
  readonly id: string
  /** Where the latent cache lies; the engine moves it. */
  location: StateLocation | null = null
  /** Set while the engine steps or moves the state. */
  occupied: Promise<void> | null = null
  /** The turn at which this session was last served; 0 before that. */
  waitingSince = 0
  readonly probation = new Probation()
  readonly #options: EngineSessionOptions
  readonly #intake: FrameIntake
  readonly #outcomes: OrderedOutcomes
  readonly #encoder: ResultEncoder
  readonly #history: CacheHistory
  /** The frame whose step was cut off, which steps again before those in the line. */
  #cutOff: { prepared: ReceivedFrame; awaited: AwaitedFrame } | null = null
  /** As the frames stepped so far show it. */
  #scene: Scene = newScene
  #view: DepthView | null = null

  constructor(options: EngineSessionOptions) {
    this.id = options.id
    this.#options = options
    this.#outcomes = new OrderedOutcomes(options.emit, startOfTimeline)
    const { onReady, pixels, prepare, options: wishes } = options
    const { delivery } = wishes
    this.#intake = new FrameIntake({ outcomes: this.#outcomes, delivery, pixels, prepare, onReady })
    this.#encoder = new ResultEncoder({ outcomes: this.#outcomes, output: wishes.output, pixels, onReady })
    this.#history = new CacheHistory(
      replayShape(options.keepsFrames ? options.plan : { ...options.plan, mode: 'single' })
    )
  }

  /** Whether the state holds what later frames need and nothing else has. */
  get remembers(): boolean {
    return this.#options.plan.mode !== 'single' && this.#history.timeline.framesSeen > 0
  }

  /** When its frames are ready for their steps. */
  get rhythm(): Rhythm | null {
    return this.#intake.rhythm
  }

  submit(frame: ValidFrame): void {
    this.#intake.submit(frame)
  }

  flush(id: string): void {
    this.#outcomes.settle(this.#outcomes.take(null), { type: 'flushed', id })
  }

  reset(): void {
    this.#intake.addReset(this.#outcomes.take(null))
  }

  /** The frame that could be stepped now, or null. Resets that stand before it take effect. */
  front(): ReadyFrame | null {
    const cutOff = this.#cutOff
    let front = cutOff ? null : this.#intake.front()
    for (; front?.kind === 'reset'; front = this.#intake.front()) this.#takeReset(front.place)
    const replayed = this.#history.replayed()
    if (replayed) return this.#ready(replayed.frame.prepared, () => this.#takeReplayed(replayed))
    if (cutOff) return this.#ready(cutOff.prepared, (key) => this.#takeAgain(cutOff, key))
    if (!front || this.#encoder.isBusy) return null
    const { frame } = front
    const { seen } = frame
    return seen && this.#ready(seen.prepared, (key) => this.#take(frame, seen, key))
  }

  /** Encode the depth of a stepped frame; its outcome follows in order. */
  finish({ prepared, awaited }: SteppingFrame, networkDepth: Float32Array, computeMs: number): void {
    if (!awaited) return
    this.probation.passStep()
    const { size, source } = prepared
    const isFirst = (awaited.labels.flags & flags.first) !== 0
    const { grid, isBlank } = awaited
    const network = { depth: networkDepth, size, grid, isBlank }
    const viewed = viewDepth(isFirst ? null : this.#view, network, this.#options.options)
    if (!viewed) return this.#options.onFailure(notFinite(awaited.labels.seq))
    const { view, line, range, display } = viewed
    this.#view = view
    const labels = { ...awaited.labels, computeUs: microseconds(computeMs) }
    void this.#encoder.encode(awaited, { depth: networkDepth, size, source, line, range, display }, labels)
  }

  /** The executor is gone, and the latent cache with it. True: the session makes it anew by itself. */
  lose(): boolean {
    this.location = null
    if (this.remembers) this.#history.lose()
    return true
  }

  /** A step did not happen: its frame steps again, once the cache is what it was before. */
  takeBack({ prepared, awaited }: SteppingFrame): void {
    if (!awaited) return this.#history.retreat()
    if (!awaited.isBlank) this.#history.unsee()
    this.#cutOff = { prepared, awaited }
  }

  /** Every frame without an outcome fails, then the session itself. Nothing is emitted afterwards. */
  fail(failure: LeadlineError): void {
    this.#intake.clear()
    this.#outcomes.fail(failure)
  }

  /** Every frame without an outcome is dropped with reason "closed". Nothing is emitted afterwards. */
  end(): void {
    this.#intake.clear()
    this.#outcomes.end()
  }

  #ready(prepared: ReceivedFrame, take: (planKey: string) => SteppingFrame): ReadyFrame {
    const plan = planOf(this.#options.plan, prepared.size)
    const key = planKey(plan)
    return { plan, planKey: key, take: () => this.#entered(take(key)) }
  }

  #take({ frame, place, receivedAtMs }: AcceptedFrame, seen: SeenFrame, key: string): SteppingFrame {
    this.#intake.advance()
    const { seq, timestampUs } = frame.header
    const before = [...this.#breakEpoch(this.#whyBreak(key, seen), seq), ...this.#tellRecovery(seq)]
    const { epoch } = this.#history.timeline
    const queueUs = microseconds(performance.now() - receivedAtMs)
    const { quantity } = this.#options
    const labels = { flags: this.#takeFlags(seen), seq, timestampUs, epoch, quantity, queueUs }
    const framesSeen = this.#remember(place, seq, seen, key)
    // Starting a decode takes half a millisecond of this thread: the step is sent off first.
    queueMicrotask(() => this.#intake.decodeAhead())
    const { prepared, grid, isBlank } = seen
    return { prepared, framesSeen, awaited: { place, grid, isBlank, labels, before } }
  }

  #takeAgain({ prepared, awaited }: { prepared: ReceivedFrame; awaited: AwaitedFrame }, key: string) {
    this.#cutOff = null
    const { epoch } = this.#history.timeline
    const before = [...awaited.before, ...this.#tellRecovery(awaited.labels.seq)]
    const first = this.#isFirst(awaited) ? flags.first : 0
    const labels = { ...awaited.labels, epoch, flags: awaited.labels.flags | first }
    const { place } = awaited
    const framesSeen = this.#remember(place, labels.seq, { ...awaited, prepared }, key)
    return { prepared, framesSeen, awaited: { ...awaited, labels, before } }
  }

  /**
   * Returns how many frames the cache has seen before this one. After a blank one they are no more than that: the next
   * frame is stepped at the same position, and what the blank one left there is gone.
   */
  #remember(place: Place, seq: number, { prepared, isBlank }: SeenFrame, key: string): number {
    const framesSeen = isBlank ? this.#history.pass(key) : this.#history.see({ seq, prepared }, key)
    this.#mark(place)
    return framesSeen
  }

  /** The cache of mode single sees nothing. */
  #mark(place: Place): void {
    const { epoch, digest } = this.#history.timeline
    const { mode } = this.#options.plan
    this.#outcomes.mark(place, { epoch, digest: mode === 'single' ? emptyDigest : digest })
  }

  #takeReplayed({ frame, framesSeen }: ReplayedFrame): SteppingFrame {
    this.#history.advance()
    return { prepared: frame.prepared, framesSeen, awaited: null }
  }

  #entered(stepping: SteppingFrame): SteppingFrame {
    if (this.location) this.location.isNew = false
    return stepping
  }

  #tellRecovery(seq: number): SessionEvent[] {
    const continuity = this.#history.tell()
    return continuity ? [{ type: 'recovered', seq, epoch: this.#history.timeline.epoch, continuity }] : []
  }

  #takeReset(place: Place): void {
    this.#intake.advance()
    this.#history.forget()
    const { epoch } = this.#history.timeline
    this.#mark(place)
    this.#outcomes.settle(place, { type: 'reset', seq: null, epoch, reason: 'client' })
  }

  /** Why a frame cannot continue the epoch; null when it can. */
  #whyBreak(key: string, seen: SeenFrame): ResetReason | null {
    // The cache was given up for a frame of another size, which was then superseded: its past is gone all the same.
    const isPastLost = this.remembers && this.location?.isNew === true
    const isCut = this.#watch(seen)
    if (isPastLost || breaks(this.#history.timeline, key)) return 'resolution'
    return isCut ? 'sceneCut' : null
  }

  /** Whether a frame, which is taken next, begins another scene. */
  #watch({ grid, isBlank }: SeenFrame): boolean {
    if (isBlank || !this.#options.options.sceneCut) return false
    const isFirst = this.#history.timeline.framesSeen === 0
    const { scene, isCut } = watchScene(isFirst ? newScene : this.#scene, grid)
    this.#scene = scene
    return isCut
  }

  #breakEpoch(reason: ResetReason | null, seq: number): SessionEvent[] {
    if (reason === null) return []
    this.#history.forget()
    return [{ type: 'reset', seq, epoch: this.#history.timeline.epoch, reason }]
  }

  #takeFlags(seen: SeenFrame): number {
    return (
      (this.#isFirst(seen) ? flags.first : 0) |
      (this.#intake.takeDropped() ? flags.droppedBefore : 0) |
      (seen.isBlank ? flags.blank : 0)
    )
  }

  /** Of an epoch, or of its memory. */
  #isFirst({ isBlank }: Pick<SeenFrame, 'isBlank'>): boolean {
    const { planKey, framesSeen } = this.#history.timeline
    return isBlank ? planKey === null : framesSeen === 0
  }
}
