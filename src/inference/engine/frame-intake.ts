import { startOfStages } from '../../metering/frame-stages.ts'
import type { FrameStages } from '../../metering/frame-stages.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import type { OutputOptions } from '../../wire/output.ts'
import type { Delivery } from '../../session.ts'
import type { PixelWork } from '../pixels/pixel-work.ts'
import type { PrepareOptions } from '../pixels/preprocess.ts'
import { beat, type Rhythm } from '../scheduling/batch-wait.ts'
import { seeFrame } from '../stability/seen-frame.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'
import { frameError } from './frame-failure.ts'
import { FrameQueue } from './frame-queue.ts'
import type { Front } from './frame-queue.ts'
import type { OrderedOutcomes, Pending } from './ordered-outcomes.ts'

export interface FrameIntakeOptions {
  delivery: Delivery
  outcomes: OrderedOutcomes
  pixels: PixelWork
  prepare: Omit<PrepareOptions, 'withGuide'>
  /** Called whenever a frame may have become ready for its step. */
  onReady: () => void
}

/** A frame between arrival and step. */
export interface AcceptedFrame {
  frame: ValidFrame
  /** How its depth map is handed out. */
  output: OutputOptions
  pending: Pending
  stages: FrameStages
  /** Null until it is decoded. */
  seen: SeenFrame | null
}

/** The frames of one session up to their step, decoded ahead of it. What is superseded or cannot be decoded has its outcome here. */
export class FrameIntake {
  readonly #options: FrameIntakeOptions
  readonly #queue: FrameQueue<AcceptedFrame>
  /** When frames become ready for their steps. */
  rhythm: Rhythm | null = null
  #hasDropped = false

  constructor(options: FrameIntakeOptions) {
    this.#options = options
    this.#queue = new FrameQueue(options.delivery)
  }

  submit(frame: ValidFrame, output: OutputOptions): void {
    const pending = this.#options.outcomes.take(frame.header.seq)
    const stages = startOfStages(performance.now(), frame.traceparent ?? null)
    this.#supersede(this.#queue.add({ frame, output, pending, stages, seen: null }))
    this.decodeAhead()
  }

  /** A stop between the frames before and those after; `isAhead`: before all that wait. */
  addStop(pending: Pending, isAhead = false): void {
    this.#queue.addStop(pending, isAhead)
    this.#options.onReady()
  }

  removeStop(pending: Pending): void {
    this.#queue.removeStop(pending)
  }

  /** The place of what stands first, ready or not. */
  get firstPending(): Pending | null {
    const { first } = this.#queue
    return first && (first.kind === 'stop' ? first.pending : first.frame.pending)
  }

  front(): Front<AcceptedFrame> {
    return this.#queue.front()
  }

  /** Remove what `front` returned. */
  advance(): void {
    this.#queue.advance()
  }

  /** Whether a frame was superseded since this was last asked. */
  takeDropped(): boolean {
    const hasDropped = this.#hasDropped
    this.#hasDropped = false
    return hasDropped
  }

  /** Whether a frame waits for its step, be it decoded or not. */
  get hasFrames(): boolean {
    return this.#queue.hasFrames
  }

  clear(): void {
    this.#queue.clear()
  }

  decodeAhead(): void {
    for (let next = this.#queue.nextToDecode(); next; next = this.#queue.nextToDecode())
      void this.#decode(next)
  }

  async #decode(accepted: AcceptedFrame): Promise<void> {
    const { outcomes, pixels, prepare, onReady } = this.#options
    const { stages } = accepted
    stages.decodeBeganMs = performance.now()
    try {
      const wishes = { ...prepare, withGuide: accepted.output.refine }
      const { prepared, guide } = await pixels.prepare(accepted.frame, wishes)
      stages.decodeEndedMs = performance.now()
      accepted.seen = seeFrame(prepared, guide)
      this.rhythm = beat(this.rhythm, performance.now())
      this.#supersede(this.#queue.decoded(accepted, 'ready'))
    } catch (error) {
      this.#queue.decoded(accepted, 'failed')
      outcomes.settle(accepted.pending, frameError(accepted.frame.header.seq, error))
    }
    this.decodeAhead()
    onReady()
  }

  #supersede(frames: readonly AcceptedFrame[]): void {
    if (frames.length > 0) this.#hasDropped = true
    for (const { pending, frame } of frames) {
      const { seq } = frame.header
      this.#options.outcomes.settle(pending, { type: 'drop', seq, reason: 'superseded' })
    }
  }
}
