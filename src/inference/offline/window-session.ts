import type { LeadlineError } from '../../errors.ts'
import type { ServiceClass, Tenant } from '../../metering/measures.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import { flags } from '../../wire/frame.ts'
import { identity } from '../../maps/affine-map.ts'
import type { ResetReason, SessionEvent, StreamPosition } from '../../session.ts'
import { rangeOf, smoothRange } from '../pixels/display-range.ts'
import type { DisplayRange } from '../pixels/display-range.ts'
import type { EngineSessionOptions } from '../engine/engine-session-options.ts'
import { planKey } from '../executor.ts'
import { notFinite } from '../engine/frame-failure.ts'
import { FrameIntake } from '../engine/frame-intake.ts'
import type { AcceptedFrame } from '../engine/frame-intake.ts'
import { OrderedOutcomes } from '../engine/ordered-outcomes.ts'
import type { Pending } from '../engine/ordered-outcomes.ts'
import { microseconds } from '../pixels/postprocess.ts'
import type { PreparedFrame } from '../pixels/preprocess.ts'
import { Probation } from '../recovery/probation.ts'
import { ResultEncoder } from '../engine/result-encoder.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'
import { planOf } from '../session-plan.ts'
import type { SlicedSession } from '../engine/runnable.ts'
import type { StateLocation } from '../engine/stepping-frame.ts'
import { breaks, extended, forget, startOfTimeline } from '../recovery/timeline.ts'
import type { Timeline } from '../recovery/timeline.ts'
import type { PendingFrame } from './clip-frame.ts'
import { SliceReplay } from './slice-replay.ts'
import type { ReadySlice, TakenSlice } from '../engine/taken-slice.ts'
import { WindowSchedule } from './window-schedule.ts'
import { WindowStitcher } from './window-stitcher.ts'

/**
 * One session of mode vda-window inside the engine: gathers frames to windows, gives the slices to run, stitches the
 * windows' depth and puts outcomes in order. A flush ends the clip: its last window is filled up with its last frame,
 * and a frame after it begins another clip, in an epoch of its own. So does a reset. In a window the last frame that shows
 * something stands in for those that show nothing; such as come before it are a clip of their own.
 */
export class WindowSession implements SlicedSession {
  readonly kind = 'slice'
  readonly id: string
  readonly tenant: Tenant
  readonly service: ServiceClass
  location: StateLocation | null = null
  occupied: Promise<void> | null = null
  waitingSince = 0
  readonly probation = new Probation()
  readonly rhythm = null
  readonly #options: EngineSessionOptions
  /** Frames and, as resets, the ends of clips. */
  readonly #intake: FrameIntake
  readonly #outcomes: OrderedOutcomes
  readonly #encoder: ResultEncoder
  /** What to emit at an end that a flush asked for. */
  readonly #flushes = new Map<Pending, string>()
  #timeline: Timeline = startOfTimeline
  #schedule = new WindowSchedule()
  readonly #replay: SliceReplay<TakenSlice>
  #cutOff: TakenSlice | null = null
  #stitcher: WindowStitcher
  /** In the order of their depth. */
  #pending: PendingFrame[] = []
  /** The last one with pixels of its own in the clip. */
  #lastPrepared: PreparedFrame | null = null
  /** Whether the clip has a frame that is not blank. */
  #showsSomething = false
  /** Time that the slices of each slot took in the present window. */
  readonly #costMs = new Float64Array(32)
  #display: DisplayRange | null = null
  /** Slices taken and not finished: a slice is taken before the one before it is finished. */
  #numRunning = 0
  /** Why the next frame is the first of a clip that nobody has been told of. */
  #newClip: ResetReason | null = null

  constructor(options: EngineSessionOptions) {
    this.id = options.id
    this.tenant = options.tenant
    this.service = options.service
    this.#options = options
    this.#outcomes = new OrderedOutcomes(options.emit, { ...startOfTimeline, seq: -1 })
    this.#intake = new FrameIntake({ ...options, outcomes: this.#outcomes, delivery: 'lossless' })
    this.#encoder = new ResultEncoder({ ...options, outcomes: this.#outcomes })
    this.#replay = new SliceReplay(options)
    this.#stitcher = this.#newStitcher()
  }

  get position(): StreamPosition {
    return this.#outcomes.position
  }

  get remembers(): boolean {
    return this.#timeline.framesSeen > 0
  }

  submit(frame: ValidFrame): void {
    this.#intake.submit(frame, this.#options.options.output)
  }

  flush(id: string): void {
    const pending = this.#outcomes.take(null)
    this.#flushes.set(pending, id)
    this.#intake.addStop(pending)
  }

  reset(): void {
    this.#intake.addStop(this.#outcomes.take(null))
  }

  /** The slice that could be run now, or null. Ends that stand before it take effect. */
  front(): ReadySlice | null {
    for (;;) {
      if (this.#encoder.isBusy) return null
      const replayed = this.#replay.next()
      if (replayed) return this.#readyAgain(replayed, true)
      if (this.#cutOff) return this.#readyAgain(this.#cutOff, false)
      if (!this.#schedule.wantsFrame) return this.#ready(this.#lastPrepared, () => null)
      const front = this.#intake.front()
      if (front === null) return null
      if (front.kind === 'frame' && this.#continues(front.frame)) return this.#takeIn(front.frame)
      // The clip ends here. What its last window lacks is made up by its last frame.
      if (this.#schedule.isBegun) return this.#ready(this.#lastPrepared, ({ rgb }) => rgb)
      if (this.#numRunning > 0) return null
      this.#endClip()
      if (front.kind === 'frame') this.#beginClip(this.#breaks(front.frame.seen) ? 'resolution' : 'sceneCut')
      else this.#settleEnd(front.pending)
    }
  }

  /** The executor is gone. False when the window that it held cannot be made anew. */
  lose(): boolean {
    this.location = null
    if (!this.remembers) return true
    this.#replay.lose()
    return this.#options.keepsFrames
  }

  /** A slice was cut off by a loss: it runs again, once the window is what it was before. */
  takeBack(slice: TakenSlice): void {
    this.#numRunning -= 1
    if (slice.isReplayed) return
    this.#cutOff = slice
  }

  /** A slice has run; the last ones of a window have depth. */
  finish(
    { place, slot, stage, isReplayed }: TakenSlice,
    depth: Float32Array | null,
    computeMs: number
  ): void {
    this.#numRunning -= 1
    if (isReplayed) return
    this.probation.passStep()
    this.#costMs[slot] = (stage === 0 ? 0 : this.#costMs[slot]!) + computeMs
    const map = depth && this.#stitcher.push(place, depth)
    if (map) this.#hand(map, this.#costMs[slot]!)
    this.#options.onReady()
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

  #continues({ seen }: AcceptedFrame): boolean {
    const endsDark = this.remembers && !this.#showsSomething && seen?.isBlank === false
    return !this.#breaks(seen) && !endsDark
  }

  #breaks(seen: SeenFrame | null): boolean {
    return seen === null || breaks(this.#timeline, this.#planOf(seen.prepared).planKey)
  }

  #planOf({ size }: PreparedFrame): Pick<ReadySlice, 'plan' | 'planKey'> {
    const plan = planOf(this.#options.plan, size)
    return { plan, planKey: planKey(plan) }
  }

  #takeIn({ seen, ...accepted }: AcceptedFrame): ReadySlice | null {
    if (!seen) return null
    const { prepared, isBlank } = seen
    const standIn = isBlank && this.#showsSomething ? this.#lastPrepared : null
    return this.#ready(standIn ?? prepared, (shown) => {
      this.#intake.advance()
      this.#pending.push(this.#admit(accepted, seen))
      this.#lastPrepared = shown
      this.#showsSomething ||= !isBlank
      queueMicrotask(() => this.#intake.decodeAhead())
      return shown.rgb
    })
  }

  #ready(
    prepared: PreparedFrame | null,
    frameOf: (prepared: PreparedFrame) => Uint8Array | null
  ): ReadySlice | null {
    if (!prepared) return null
    const take = (): TakenSlice => {
      this.#numRunning += 1
      const frame = frameOf(prepared)
      const slice = { ...this.#schedule.take(), frame, isReplayed: false }
      this.#replay.record(slice)
      return slice
    }
    return { ...this.#planOf(prepared), take }
  }

  #readyAgain(slice: TakenSlice, isReplayed: boolean): ReadySlice | null {
    const take = (): TakenSlice => {
      this.#numRunning += 1
      if (isReplayed) this.#replay.advance()
      else this.#cutOff = null
      return { ...slice, isReplayed }
    }
    return this.#lastPrepared && { ...this.#planOf(this.#lastPrepared), take }
  }

  #admit(
    { frame, pending, stages }: Omit<AcceptedFrame, 'seen'>,
    { prepared, guide, isBlank }: SeenFrame
  ): PendingFrame {
    const { seq, timestampUs } = frame.header
    const { epoch, framesSeen, digest } = this.#timeline
    const { quantity } = this.#options
    const isFirst = framesSeen === 0
    stages.stepBeganMs = performance.now()
    const queueUs = microseconds(stages.stepBeganMs - stages.cameMs)
    const before: SessionEvent[] = this.#newClip ? [{ type: 'reset', seq, epoch, reason: this.#newClip }] : []
    this.#newClip = null
    const { planKey } = this.#planOf(prepared)
    const { payloadDigest } = prepared
    const extendedBy = extended(this.#timeline, planKey, { seq, payloadDigest })
    this.#timeline = isBlank ? { ...extendedBy, digest } : extendedBy
    this.#outcomes.mark(pending, this.#timeline)
    const set = (isFirst ? flags.first : 0) | (isBlank ? flags.blank : 0)
    const labels = { flags: set, seq, timestampUs, epoch, quantity, queueUs }
    const { size, source } = prepared
    return { pending, stages, frame: { size, source }, guide, labels, isFirst, before }
  }

  /** The final map of the next frame; those of the frames that filled up a window are nobody's. */
  #hand(depth: Float32Array, costMs: number): void {
    const pending = this.#pending.shift()
    if (!pending) return
    const range = rangeOf(depth)
    if (!range) return this.#options.onFailure(notFinite(pending.labels.seq))
    const display = smoothRange(pending.isFirst ? null : this.#display, range)
    this.#display = display
    pending.stages.stepEndedMs = pending.stages.stepBeganMs + costMs
    const labels = { ...pending.labels, computeUs: microseconds(costMs) }
    // The stitcher may still need its own.
    const own = Float32Array.from(depth)
    void this.#encoder.encode(
      { ...pending, output: this.#options.options.output, deviceMs: costMs },
      { ...pending.frame, guide: pending.guide, depth: own, affine: identity, range, display },
      labels
    )
  }

  #endClip(): void {
    for (const map of this.#stitcher.rest()) this.#hand(map, 0)
    this.#schedule = new WindowSchedule()
    this.#showsSomething = false
    this.#replay.clear()
    this.#stitcher = this.#newStitcher()
  }

  /** What follows is another clip, which its first frame tells. */
  #beginClip(reason: ResetReason): void {
    if (!this.remembers) return
    this.#timeline = forget(this.#timeline)
    this.#newClip = reason
  }

  #settleEnd(pending: Pending): void {
    this.#intake.advance()
    const flushId = this.#flushes.get(pending)
    this.#flushes.delete(pending)
    if (flushId !== undefined) {
      this.#beginClip('client')
      return this.#outcomes.settle(pending, { type: 'flushed', id: flushId })
    }
    this.#timeline = forget(this.#timeline)
    this.#newClip = null
    const { epoch } = this.#timeline
    this.#outcomes.mark(pending, this.#timeline)
    this.#outcomes.settle(pending, { type: 'reset', seq: null, epoch, reason: 'client' })
  }

  #newStitcher(): WindowStitcher {
    return new WindowStitcher({ isMetric: this.#options.quantity === 'metric-depth' })
  }
}
