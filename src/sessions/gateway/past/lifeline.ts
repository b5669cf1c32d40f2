import type { Account } from '../../../metering/measures.ts'
import type { OpenedSession, SessionContext, SessionEvent, SessionOptions } from '../../../session.ts'
import type { OpenPast, SessionCommand } from '../../link.ts'
import type { Answer, Begin } from '../leg.ts'
import type { SessionWish } from '../../placement.ts'
import type { RingBudget } from './ring-budget.ts'
import { SessionPast } from './session-past.ts'
import { StallClock } from '../replace/stall-clock.ts'
import type { StallMeter } from '../../metrics/session-meters.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import { isFrameOutcome } from '../../sessions.ts'
import type { FrameOutcome } from '../../sessions.ts'
import type { LoggedCommand } from './unsettled.ts'
import { KeptOutcomes } from '../../worker/kept-outcomes.ts'
import type { KeptBytes } from '../../worker/kept-outcomes.ts'

/** What the sessions of a gateway keep against the death of their workers, together. */
export interface Provisions {
  ring: RingBudget
  /** Of outcomes that clients have not acknowledged. */
  told: KeptBytes
  meter: StallMeter
}

interface LifelineOptions extends Provisions {
  options: SessionOptions
  account: Account
  opened: OpenedSession
  /** The session begins here; else it was another gateway's before. */
  isNew: boolean
  /** Of a checkpoint that it goes on from. */
  frames: readonly ValidFrame[]
  /** Whether outcomes must be told again to who resumes it. */
  isResumable: boolean
  /** The client has the outcomes through this one. */
  after: number
}

/** Its worker has it: opened it, or had it adopted by this gateway. */
export function beginLifeline(
  command: Begin,
  answer: Answer,
  shared: Provisions & Pick<LifelineOptions, 'account' | 'isResumable'>
): Lifeline {
  const { opened } = answer
  const past: OpenPast | undefined = command.type === 'open' ? command.past : undefined
  const options = command.type === 'open' ? command.options : (answer as Answer<'adopted'>).options
  const after = command.type === 'open' ? (past?.after ?? -1) : command.afterSeq
  const isNew = command.type === 'open' && past === undefined
  return new Lifeline({ ...shared, options, opened, isNew, frames: past?.context.frames ?? [], after })
}

/**
 * Workers in a row that a session may lose without an outcome in between. One of its own frames may be what they die of,
 * and must not take all of them. Of one that waits for its client there is none.
 */
const maxFruitlessLosses = 3

/** All that a session needs to go on with another worker. It is told what the session sends and hears. */
export class Lifeline {
  readonly #options: LifelineOptions
  #wishes: SessionOptions
  readonly #past: SessionPast
  readonly #told: KeptOutcomes | null
  readonly #stall: StallClock
  #lastTold: number
  /** The last outcome that the worker, which is asked now, is told of with that. */
  #askedAfter: number
  #fruitlessLosses = 0
  /** What the session goes on from, until the next worker has used it, whatever the budget leaves of it. */
  #handed: SessionContext | null = null

  constructor(options: LifelineOptions) {
    const { after, ring, told, meter, opened, isNew, frames, isResumable } = options
    this.#options = options
    this.#wishes = options.options
    this.#past = new SessionPast({ budget: ring, shape: opened.replay, epoch: opened.epoch, isNew, frames })
    this.#lastTold = after
    this.#askedAfter = after
    this.#told = isResumable ? new KeptOutcomes(told) : null
    this.#told?.restore([], after)
    this.#stall = new StallClock(meter)
  }

  /** The session goes on from this past; its worker was lost with all that followed. */
  restore(context: SessionContext): void {
    this.#past.restore(context)
    this.#handed = context
  }

  sent(command: LoggedCommand): void {
    if (this.#past.isSettled) this.#stall.heard()
    this.#past.sent(command)
  }

  /** An outcome of the worker, before its client is told. */
  settled(outcome: FrameOutcome): void {
    this.#stall.outcome()
    this.#past.settle(outcome)
    this.#handed = null
    this.#fruitlessLosses = 0
  }

  /** The client is told. */
  told(event: SessionEvent): void {
    this.#stall.heard()
    // Nothing that another worker, or another gateway, has to know.
    if (event.type === 'notice' || event.type === 'parked') return
    if (event.type === 'checkpoint' || event.type === 'checkpointFailed') return this.#past.answered(event)
    if (event.type === 'updated') this.#wishes = { ...this.#wishes, output: event.output }
    this.#told?.keep(event)
    if (isFrameOutcome(event)) this.#lastTold = event.seq
    else if (event.type !== 'error') this.#past.answered(event)
  }

  acked(seq: number): void {
    this.#told?.ack(seq)
  }

  /** False: it lost too many, and should be given to no other. */
  lost(): boolean {
    this.#stall.lost()
    if (!this.#past.isSettled) this.#fruitlessLosses += 1
    return this.#fruitlessLosses <= maxFruitlessLosses
  }

  /** What the next worker must have. */
  get sought(): SessionWish {
    const { opened } = this.#options
    return { ...this.#wishes, modelDigest: opened.modelDigest }
  }

  /** What it is asked. */
  get open(): Extract<SessionCommand, { type: 'open' }> {
    const { account, isResumable: resumable } = this.#options
    const context = this.#handed ?? this.#past.context
    const past = { context, told: this.#told?.events ?? [], after: this.#lastTold }
    return { type: 'open', options: this.#wishes, account, resumable, past }
  }

  /** What the worker is asked that has it as it was. `hasHeardAll`: nothing is missing that the one before said. */
  join(hasHeardAll: boolean): Extract<SessionCommand, { type: 'join' }> {
    this.#askedAfter = this.#lastTold
    const outcomes = this.#told?.events.filter(isFrameOutcome) ?? []
    const settled = outcomes.filter((outcome) => outcome.type !== 'result')
    return { type: 'join', afterSeq: hasHeardAll ? null : this.#lastTold, settled }
  }

  /** The next worker has memory for the session, and is asked to open it. */
  placed(): void {
    this.#askedAfter = this.#lastTold
    this.#stall.placed()
  }

  /** What it is sent when it is open, in order. */
  get unsettled(): LoggedCommand[] {
    return this.#past.unsettled.map((command) => withoutTold(command, this.#askedAfter))
  }

  /** Whether the frame can be sent again. */
  has(seq: number): boolean {
    return this.#past.isUnsettled(seq)
  }

  /** Nothing is kept but the past, for whoever wants it; it must be left or forgotten. Twice does no harm. */
  end(): SessionPast {
    this.#told?.clear()
    this.#handed = null
    return this.#past
  }
}

/** Outcomes that the gateway had made and told by then are among those that a session is opened with; later ones are not. */
function withoutTold(command: LoggedCommand, askedAfter: number): LoggedCommand {
  if (!('aside' in command) || !command.aside) return command
  const settled = command.aside.settled.filter(({ seq }) => seq > askedAfter)
  return { ...command, aside: { ...command.aside, settled } }
}
