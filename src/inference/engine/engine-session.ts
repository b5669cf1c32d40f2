import { LeadlineError } from '../../errors.ts'
import { flags, type ValidFrame } from '../../wire/frame.ts'
import type { ServiceClass, Tenant } from '../../metering/measures.ts'
import type { OutputChange, OutputOptions } from '../../wire/output.ts'
import type { StreamPosition } from '../../session.ts'
import { emptyDigest } from '../../wire/state-digest.ts'
import { planKey } from '../executor.ts'
import { microseconds } from '../pixels/postprocess.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'
import type { ReplayedFrame } from '../recovery/cache-history.ts'
import type { HeldLatents } from '../recovery/past.ts'
import { Probation } from '../recovery/probation.ts'
import type { Rhythm } from '../scheduling/batch-wait.ts'
import { planOf } from '../session-plan.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'
import { Boundaries } from './boundaries.ts'
import { frameError, notFinite } from './frame-failure.ts'
import type { EngineSessionOptions } from './engine-session-options.ts'
import { FrameIntake, type AcceptedFrame } from './frame-intake.ts'
import type { Front } from './frame-queue.ts'
import { OrderedOutcomes, type Pending } from './ordered-outcomes.ts'
import { ResultEncoder } from './result-encoder.ts'
import { SessionMemory } from './session-memory.ts'
import type { AwaitedFrame, ReadyFrame, StateLocation, SteppingFrame, StepTime } from './stepping-frame.ts'

/**
 * One session inside the engine: decodes its frames ahead of their step, encodes the results and puts outcomes in order.
 * Which session steps when is not decided here.
 */
export class EngineSession {
  readonly kind = 'frame'
  readonly id: string
  readonly tenant: Tenant
  readonly service: ServiceClass
  readonly memory: SessionMemory
  /** Where the latent cache lies; the engine moves it. */
  location: StateLocation | null = null
  /** The latent cache while it lies in no device's memory but the host's. */
  latents: HeldLatents | null = null
  /** It has no claim to device memory, and steps nothing. */
  isParked = false
  /** Set while the engine steps or moves the state. */
  occupied: Promise<void> | null = null
  /** The turn at which this session was last served; 0 before that. */
  waitingSince = 0
  readonly probation = new Probation()
  readonly #options: EngineSessionOptions
  readonly #intake: FrameIntake
  readonly #outcomes: OrderedOutcomes
  readonly #encoder: ResultEncoder
  readonly #boundaries = new Boundaries()
  /** Of frames that are submitted now. */
  #output: OutputOptions
  /** The frame whose step was cut off, which steps again before those in the line. */
  #cutOff: { prepared: ReceivedFrame; awaited: AwaitedFrame } | null = null

  constructor(options: EngineSessionOptions) {
    this.id = options.id
    this.tenant = options.tenant
    this.service = options.service
    this.#options = options
    const { plan, quantity, keepsFrames, past, emit, onReady, pixels, prepare, options: wishes } = options
    this.memory = new SessionMemory({ plan, wishes, quantity, keepsFrames })
    if (past) this.memory.adopt(past)
    this.latents = past?.latents ?? null
    const seq = past?.frames.at(-1)?.seq ?? -1
    this.#outcomes = new OrderedOutcomes(emit, { ...this.memory.timeline, seq })
    const { delivery } = wishes
    this.#output = wishes.output
    this.#intake = new FrameIntake({ outcomes: this.#outcomes, delivery, pixels, prepare, onReady })
    this.#encoder = new ResultEncoder({ ...options, outcomes: this.#outcomes })
  }

  /** Whether the state holds what later frames need and nothing else has. */
  get remembers(): boolean {
    return this.memory.remembers
  }

  /** When its frames are ready for their steps. */
  get rhythm(): Rhythm | null {
    return this.#intake.rhythm
  }

  get position(): StreamPosition {
    return this.#outcomes.position
  }

  /** Whether a frame waits for its step. */
  get hasFrames(): boolean {
    return this.#intake.hasFrames
  }

  submit(frame: ValidFrame): void {
    this.#intake.submit(frame, this.#output)
  }

  /** The frame fails, in its place, and leaves no trace. */
  refuse({ header: { seq } }: ValidFrame, failure: LeadlineError): void {
    this.#outcomes.settle(this.#outcomes.take(seq), frameError(seq, failure))
  }

  flush(id: string): void {
    this.#outcomes.settle(this.#outcomes.take(null), { type: 'flushed', id })
  }

  /** Frames that are submitted from here on are handed out so. */
  update({ id, output }: OutputChange): void {
    this.#output = output
    this.#outcomes.settle(this.#outcomes.take(null), { type: 'updated', id, output })
  }

  reset(): void {
    this.#intake.addStop(this.#outcomes.take(null))
  }

  /**
   * Resolves between two frames, when those before have their outcomes and the cache holds what can be had. Until the given
   * function is called none follows. `isAhead`: before those that wait. Rejects with SESSION_UNKNOWN when it ends first.
   */
  async atBoundary(isAhead = false): Promise<() => void> {
    const pending = this.#outcomes.take(null, isAhead ? this.#intake.firstPending : null)
    const reached = this.#boundaries.wait(pending)
    this.#intake.addStop(pending, isAhead)
    await reached
    return () => {
      if (!this.#boundaries.leave(pending)) return
      this.#intake.removeStop(pending)
      this.#outcomes.settle(pending)
      this.#options.onReady()
    }
  }

  /** The frame that could be stepped now, or null. Resets that stand before it take effect. */
  front(): ReadyFrame | null {
    const cutOff = this.#cutOff
    const front = cutOff ? null : this.#takeStops()
    if (this.isParked) return null
    const replayed = this.memory.history.replayed()
    if (replayed) return this.#ready(replayed.frame.prepared, () => this.#takeReplayed(replayed))
    if (cutOff) return this.#ready(cutOff.prepared, (key) => this.#takeAgain(cutOff, key))
    if (front?.kind !== 'frame' || this.#encoder.isBusy) return null
    const { frame } = front
    const { seen } = frame
    return seen && this.#ready(seen.prepared, (key) => this.#take(frame, seen, key))
  }

  /** Encode the depth of a stepped frame; its outcome follows in order. */
  finish(stepping: SteppingFrame, networkDepth: Float32Array, { computeMs, rows }: StepTime): void {
    const { prepared, awaited, replayed } = stepping
    if (replayed) return this.memory.relearn(replayed, networkDepth)
    this.probation.passStep()
    const { size, source } = prepared
    const { grid, guide, isBlank, labels, stages } = awaited
    stages.stepEndedMs = stages.stepBeganMs + computeMs
    const network = { seq: labels.seq, depth: networkDepth, size, grid, isBlank }
    const viewed = this.memory.show(network, (labels.flags & flags.first) !== 0)
    if (!viewed) return this.#options.onFailure(notFinite(labels.seq))
    const { affine, range, display } = viewed
    const map = { depth: networkDepth, size, source, guide, affine, range, display }
    const before = this.memory.told(awaited.before)
    const awaiting = { ...awaited, before, deviceMs: computeMs / rows }
    void this.#encoder.encode(awaiting, map, { ...labels, computeUs: microseconds(computeMs) })
  }

  /** The executor is gone, and with it what lay there. True: the session makes it anew by itself. */
  lose(): boolean {
    this.location = null
    if (this.remembers && !this.latents) this.memory.history.lose()
    return true
  }

  /** A step did not happen: its frame steps again, once the cache is what it was before. */
  takeBack({ prepared, awaited }: SteppingFrame): void {
    const { history } = this.memory
    if (!awaited) return history.retreat()
    if (!awaited.isBlank) history.unsee()
    this.#cutOff = { prepared, awaited }
  }

  /** Its cache was taken from the device. Without `latents` it is made anew when it comes back. */
  putAside(latents: HeldLatents | null): void {
    this.latents = latents
    if (!latents && this.remembers) this.memory.history.lose()
  }

  /** It gives its claim to device memory up; its cache was put aside. */
  park(): void {
    this.isParked = true
    if (this.latents) this.memory.history.hold()
  }

  /** Every frame without an outcome fails, then the session itself. Nothing is emitted afterwards. */
  fail(failure: LeadlineError): void {
    this.#intake.clear()
    this.#boundaries.end(failure)
    this.#outcomes.fail(failure)
  }

  /** Every frame without an outcome is dropped with reason "closed". Nothing is emitted afterwards. */
  end(): void {
    this.#intake.clear()
    this.#boundaries.end(new LeadlineError('SESSION_UNKNOWN', 'The session was closed meanwhile'))
    this.#outcomes.end()
  }

  /** Resets take effect; at a boundary that is reached, or a frame, the line stands. */
  #takeStops(): Front<AcceptedFrame> {
    let front = this.#intake.front()
    for (; front?.kind === 'stop' && !this.#boundaries.has(front.pending); front = this.#intake.front())
      this.#takeReset(front.pending)
    if (front?.kind === 'stop' && this.#isQuiet(front.pending)) this.#boundaries.reach(front.pending)
    return front
  }

  /** Nothing before the place is on its way. */
  #isQuiet(pending: Pending): boolean {
    return this.#outcomes.isNext(pending) && (this.isParked || this.memory.history.replayed() === null)
  }

  #ready(prepared: ReceivedFrame, take: (planKey: string) => SteppingFrame): ReadyFrame {
    const plan = planOf(this.#options.plan, prepared.size)
    const key = planKey(plan)
    return { plan, planKey: key, take: () => this.#entered(take(key)) }
  }

  #take({ frame, output, pending, stages }: AcceptedFrame, seen: SeenFrame, key: string): SteppingFrame {
    this.#intake.advance()
    const { seq, timestampUs } = frame.header
    const isCacheNew = this.location?.isNew === true
    const { epoch, framesSeen, isFirst, before } = this.memory.enter(seq, seen, key, isCacheNew)
    this.#mark(pending)
    stages.stepBeganMs = performance.now()
    const queueUs = microseconds(stages.stepBeganMs - stages.cameMs)
    const { quantity } = this.#options
    const labels = { flags: this.#takeFlags(seen, isFirst), seq, timestampUs, epoch, quantity, queueUs }
    // Starting a decode takes half a millisecond of this thread: the step is sent off first.
    queueMicrotask(() => this.#intake.decodeAhead())
    const { prepared, grid, guide, isBlank } = seen
    const awaited = { pending, stages, grid, guide, isBlank, labels, before, output }
    return { prepared, framesSeen, awaited, replayed: null }
  }

  #takeAgain(
    { prepared, awaited }: { prepared: ReceivedFrame; awaited: AwaitedFrame },
    key: string
  ): SteppingFrame {
    this.#cutOff = null
    const { pending, labels, stages } = awaited
    stages.stepBeganMs = performance.now()
    const entry = this.memory.reenter(labels.seq, { ...awaited, prepared }, key)
    this.#mark(pending)
    const again = {
      ...awaited,
      labels: { ...labels, epoch: entry.epoch, flags: labels.flags | (entry.isFirst ? flags.first : 0) },
      before: [...awaited.before, ...entry.before]
    }
    return { prepared, framesSeen: entry.framesSeen, awaited: again, replayed: null }
  }

  #takeReplayed(replayed: ReplayedFrame): SteppingFrame {
    this.memory.history.advance()
    return { prepared: replayed.frame.prepared, framesSeen: replayed.framesSeen, awaited: null, replayed }
  }

  #entered(stepping: SteppingFrame): SteppingFrame {
    if (this.location) this.location.isNew = false
    return stepping
  }

  #takeReset(pending: Pending): void {
    this.#intake.advance()
    this.memory.history.forget()
    this.latents = null
    const { epoch } = this.memory.timeline
    this.#mark(pending)
    this.#outcomes.settle(pending, { type: 'reset', seq: null, epoch, reason: 'client' })
  }

  /** The cache of mode single sees nothing. */
  #mark(pending: Pending): void {
    const { epoch, digest } = this.memory.timeline
    const { mode } = this.#options.plan
    this.#outcomes.mark(pending, { epoch, digest: mode === 'single' ? emptyDigest : digest })
  }

  #takeFlags({ isBlank }: SeenFrame, isFirst: boolean): number {
    return (
      (isFirst ? flags.first : 0) |
      (this.#intake.takeDropped() ? flags.droppedBefore : 0) |
      (isBlank ? flags.blank : 0)
    )
  }
}
