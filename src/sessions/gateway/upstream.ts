import { LeadlineError } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import { AsideNotes } from './aside-notes.ts'
import type { Leg } from './leg.ts'
import type { SessionCommand } from '../link.ts'
import type { Lifeline } from './past/lifeline.ts'
import type { SessionPast } from './past/session-past.ts'
import type { LoggedCommand } from './past/unsettled.ts'
import type { DepthlessOutcome } from '../sessions.ts'

/** What has an answer of its own, and keeps its place among the frames. */
export type PlacedCommand = Extract<LoggedCommand, { type: 'flush' | 'reset' | 'update' | 'checkpoint' }>

/** What a session sends to its worker, and what is kept of that for the next one. */
export class Upstream {
  readonly #notes = new AsideNotes()
  #leg: Leg
  #lifeline: Lifeline | null = null
  /** Between two workers: what is sent is kept. */
  #isCut = false
  #onFirst: (() => void) | null

  /** `onFirst` is called once, when the client has said something of its session. */
  constructor(leg: Leg, onFirst: () => void) {
    this.#leg = leg
    this.#onFirst = onFirst
  }

  get leg(): Leg {
    return this.#leg
  }

  /** From the moment the session is open. */
  get lifeline(): Lifeline | null {
    return this.#lifeline
  }

  get hasRoom(): boolean {
    return !this.#isCut && this.#leg.hasRoom
  }

  /** The worker has the session: what it is sent from here on is kept. */
  opened(lifeline: Lifeline): void {
    this.#lifeline = lifeline
  }

  frame(frame: ValidFrame): void {
    const aside = this.#notes.take()
    this.#send(aside === null ? { type: 'frame', frame } : { type: 'frame', frame, aside })
  }

  command(command: PlacedCommand): void {
    this.#send(command)
  }

  /** To be told to the worker with the next frame: the client has this outcome, which was made here. */
  noteSettled(outcome: DepthlessOutcome): void {
    this.#hear()
    this.#notes.settle(outcome)
  }

  /** Likewise: the client has every outcome through this one. */
  noteAcked(seq: number): void {
    this.#hear()
    this.#notes.ack(seq)
    this.#lifeline?.acked(seq)
  }

  /** Tell the worker what rode with no frame. */
  tellNotes(): void {
    const aside = this.#isCut ? null : this.#notes.take()
    if (aside !== null) this.#send({ type: 'aside', aside })
  }

  /** What needs no outcome, and is not for the next worker. */
  say(command: Extract<SessionCommand, { type: 'open' | 'adopt' | 'detach' | 'close' }>): void {
    if (!this.#isCut) this.#leg.send(command)
  }

  /** The worker is gone. */
  cut(reason: LeadlineError): void {
    this.#isCut = true
    this.#leg.end(reason)
  }

  /** The next worker is asked. */
  turnTo(leg: Leg): void {
    this.#leg = leg
  }

  /** It has the session: it is sent what the last one did not answer. */
  mend(): void {
    if (!this.#isCut) return
    this.#isCut = false
    for (const command of this.#lifeline?.unsettled ?? []) this.#leg.send(command)
  }

  /** Another worker has the session as it was: it is sent what this one did not answer. */
  moveTo(leg: Leg, hasHeardAll: boolean): void {
    if (!this.#lifeline) return
    this.cut(new LeadlineError('WORKER_LOST', 'The session has moved'))
    this.turnTo(leg)
    leg.send(this.#lifeline.join(hasHeardAll))
    this.mend()
  }

  /** Nothing is sent any more, and nothing kept but what the session was made of. Twice does no harm. */
  end(reason: LeadlineError): SessionPast | null {
    this.cut(reason)
    return this.#lifeline?.end() ?? null
  }

  #hear(): void {
    this.#onFirst?.()
    this.#onFirst = null
  }

  #send(command: LoggedCommand): void {
    this.#hear()
    this.#lifeline?.sent(command)
    if (!this.#isCut) this.#leg.send(command)
  }
}
