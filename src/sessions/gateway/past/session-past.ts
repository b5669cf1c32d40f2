import { errorDefinition } from '../../../errors.ts'
import { decodeMessage, flags } from '../../../wire/frame.ts'
import type { Header, ValidFrame } from '../../../wire/frame.ts'
import type { ReplayShape, SessionContext, SessionEvent } from '../../../session.ts'
import type { FrameOutcome } from '../../sessions.ts'
import { FrameRing } from './frame-ring.ts'
import type { RingBudget, RingHolder } from './ring-budget.ts'
import { Unsettled } from './unsettled.ts'
import type { Answer, LoggedCommand } from './unsettled.ts'

export interface SessionPastOptions {
  budget: RingBudget
  shape: ReplayShape
  epoch: number
  /** Whether the session begins here, so that nothing was seen before. */
  isNew: boolean
  /** Of a checkpoint that the session goes on from. */
  frames?: readonly ValidFrame[]
}

/**
 * What the gateway of a session keeps to go on with it when its worker is lost: what was sent and not answered, all of it,
 * and the last frames that the latent cache has seen, as far as the budget of the gateway allows. What they were is read
 * off the outcomes: a depth map that is not of a blank frame says that the cache has seen its frame, and in which epoch.
 */
export class SessionPast implements RingHolder {
  readonly #budget: RingBudget
  readonly #unsettled = new Unsettled()
  readonly #ring: FrameRing
  #epoch: number
  #framesSeen: number | null
  #seam: Uint8Array | null = null
  #countedBytes = 0
  #lastSettled = -1

  constructor({ budget, shape, epoch, isNew, frames = [] }: SessionPastOptions) {
    this.#budget = budget
    this.#ring = new FrameRing(budget.capacityBytes > 0 ? shape : { keepsFirst: false, recent: 0 })
    this.#epoch = epoch
    this.#framesSeen = isNew ? 0 : null
    budget.join(this)
    for (const frame of frames) this.#ring.push(frame)
    this.#count()
  }

  get heldBytes(): number {
    return this.floorBytes + this.#ring.bytes
  }

  get floorBytes(): number {
    return this.#unsettled.bytes + (this.#seam?.byteLength ?? 0)
  }

  shrinkTo(bytes: number): void {
    this.#ring.shrinkTo(Math.max(0, bytes - this.floorBytes))
    this.#countedBytes = this.heldBytes
  }

  /** Whether everything that was sent is answered. */
  get isSettled(): boolean {
    return this.#unsettled.isEmpty
  }

  /** Whether the frame was sent and has no outcome. */
  isUnsettled(seq: number): boolean {
    return this.#unsettled.has(seq)
  }

  /** What another worker has to be sent, in order. */
  get unsettled(): LoggedCommand[] {
    return this.#unsettled.list()
  }

  /** As far as it can be told from here. */
  get context(): SessionContext {
    return {
      ...{ epoch: this.#epoch, framesSeen: this.#framesSeen, digest: null },
      ...{ frames: this.#ring.list(), seam: this.#seam, latents: null, notes: null }
    }
  }

  /**
   * As it was at the outcome of this frame, which the client had in `epoch`. What is not certain counts as not known: where the
   * epoch began after that frame, nothing of it was seen.
   */
  contextThrough(seq: number, epoch: number): SessionContext {
    const { context } = this
    const frames = context.frames.filter(({ header }) => header.seq <= seq)
    const undone = context.frames.length - frames.length
    const isKnown = epoch === context.epoch && (frames.length > 0 || undone === 0)
    const framesSeen = isKnown && context.framesSeen !== null ? context.framesSeen - undone : null
    return { ...context, frames, framesSeen, seam: undone > 0 ? null : context.seam }
  }

  /** What was seen before this one began, as far as it is kept elsewhere. */
  restore({ epoch, frames, framesSeen, seam }: SessionContext): void {
    this.#epoch = epoch
    this.#framesSeen = framesSeen
    for (const frame of frames) this.#ring.push(frame)
    this.#seam = seam
    this.#count()
  }

  /** Sent to the worker, or to be sent to the next. */
  sent(command: LoggedCommand): void {
    this.#unsettled.add(command)
    this.#count()
  }

  /** False: its frame has an outcome already, or was never sent. */
  settle(outcome: FrameOutcome): boolean {
    const frame = this.#unsettled.settle(outcome.seq)
    if (outcome.seq > this.#lastSettled) {
      this.#lastSettled = outcome.seq
      if (!frame) this.#missed(outcome)
    }
    if (!frame) return false
    if (outcome.type === 'result') this.#see(frame, outcome.message)
    // It may have failed after its step. A frame that cannot be decoded had none.
    else if (outcome.type === 'error' && errorDefinition(outcome.code).close !== null) this.#framesSeen = null
    this.#count()
    return true
  }

  answered(event: Answer | Extract<SessionEvent, { type: 'recovered' }>): void {
    if (event.type !== 'recovered') this.#unsettled.answered(event)
    if (event.type === 'reset') this.#beginEpoch(event.epoch)
    if (event.type === 'recovered') this.#recovered(event)
    this.#count()
  }

  /** The session is left: whoever comes back sends again what is not answered. */
  leave(): void {
    this.#unsettled.clear()
    this.#count()
  }

  /** The session is over: nothing is held any more. Twice does no harm. */
  forget(): void {
    this.#budget.leave(this)
    this.#unsettled.clear()
    this.#ring.clear()
    this.#seam = null
  }

  /** Its frame came through another gateway: the cache may have seen what is not here. */
  #missed(outcome: FrameOutcome): void {
    if (outcome.type === 'result') this.#enterEpochOf(outcome.message)
    const wasNotSeen = outcome.type === 'drop' && !outcome.seen && outcome.reason !== 'unacknowledged'
    if (!wasNotSeen) this.#framesSeen = null
  }

  #enterEpochOf(message: Uint8Array): Header {
    const { header } = decodeMessage(message)
    if (header.epoch === this.#epoch) return header
    this.#beginEpoch(header.epoch)
    if (!(header.flags & flags.first)) this.#framesSeen = null
    return header
  }

  #see(frame: ValidFrame, message: Uint8Array): void {
    const { flags: own } = this.#enterEpochOf(message)
    if (own & flags.blank) return
    this.#ring.push(frame)
    if (this.#framesSeen !== null) this.#framesSeen += 1
    if (this.#budget.capacityBytes > 0) this.#seam = message
  }

  #beginEpoch(epoch: number): void {
    this.#epoch = epoch
    this.#framesSeen = 0
    this.#ring.clear()
    this.#seam = null
  }

  /** Frames of the epoch before are as good for a cache that was made anew from them; how many there were is not known. */
  #recovered({ continuity, epoch }: Extract<SessionEvent, { type: 'recovered' }>): void {
    if (continuity === 'exact') return
    if (continuity === 'new') return this.#beginEpoch(epoch)
    this.#epoch = epoch
    this.#framesSeen = null
  }

  #count(): void {
    const changedBytes = this.heldBytes - this.#countedBytes
    this.#countedBytes = this.heldBytes
    this.#budget.changed(changedBytes)
  }
}
