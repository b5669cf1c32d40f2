import { LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import { Deferred } from '../../deferred.ts'
import { Leg } from './leg.ts'
import type { Answer, Begin } from './leg.ts'
import type { Moved, Route, WorkerEvent } from '../link.ts'
import type { Failure, LiveSessionOptions, Parting } from './live-session-options.ts'
import { beginLifeline } from './past/lifeline.ts'
import type { Lifeline } from './past/lifeline.ts'
import type { Homeless } from './replace/replacer.ts'
import { isFrameOutcome } from '../sessions.ts'
import type { DepthlessOutcome, FrameOutcome } from '../sessions.ts'
import { Telling } from './telling.ts'
import { Upstream } from './upstream.ts'
import type { PlacedCommand } from './upstream.ts'

const closed = { code: 'WORKER_LOST', detail: 'The worker of the session closed it' } as const

/**
 * A session as its gateway sees it. It knows every accepted seq that has no outcome yet, and that is how each gets exactly
 * one: from the worker, from the next one when that is lost, or from here when no worker can give one any more. A session
 * that others may take up keeps its outcomes with its worker: from here, frames get one only once it is over for good.
 */
export class LiveSession implements Homeless {
  readonly #options: LiveSessionOptions
  readonly #telling: Telling
  readonly #upstream: Upstream
  readonly #closing = new Deferred<void>()
  /** By which its first worker here was asked. */
  #command: Begin | null = null
  /** Somebody knows how to resume it. */
  #isOthersToo = false
  /** lost: without a worker, until another has opened it. */
  #state: 'opening' | 'open' | 'lost' | 'closing' | 'over' = 'opening'
  #parting: Parting | null = null

  constructor(options: LiveSessionOptions) {
    this.#options = options
    this.#telling = new Telling({ ...options, onTold: (event) => this.#upstream.lifeline?.told(event) })
    this.#upstream = new Upstream(this.#attach(options.route), options.onConfirmed)
  }

  get route(): Route {
    return this.#upstream.leg.route
  }

  get isResumable(): boolean {
    return this.#options.isResumable
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  get isLeft(): boolean {
    return this.#parting === 'detached'
  }

  /** Without a worker that has opened it, after one was lost. */
  get isLost(): boolean {
    return this.#state === 'lost'
  }

  begin(command: Begin): Promise<Answer> {
    this.#isOthersToo = command.type === 'adopt'
    this.#command = command
    if (this.#state === 'opening') this.#upstream.say(command)
    return this.#upstream.leg.answer
  }

  submit(frame: ValidFrame): void {
    if (!this.#isOpen) return
    this.#telling.accept(frame.header.seq)
    this.#upstream.frame(frame)
  }

  /** The gateway ends a frame that the worker never gets. */
  settle(outcome: DepthlessOutcome): void {
    if (!this.#isOpen) return
    this.#telling.accept(outcome.seq)
    this.#telling.put(outcome)
    if (this.isResumable) this.#upstream.noteSettled(outcome)
  }

  ack(seq: number): void {
    if (!this.isResumable) return
    this.#upstream.noteAcked(seq)
  }

  /** Tell the worker what rode with no frame. */
  tellNotes(): void {
    if (this.#state === 'open') this.#upstream.tellNotes()
  }

  /** None while no worker has it: of `latest`, only the newest frame is worth keeping then. */
  get hasRoom(): boolean {
    return this.#state === 'open' && this.#upstream.hasRoom
  }

  command(command: PlacedCommand): void {
    if (!this.#isOpen) return
    this.#upstream.command(command)
  }

  /** Leave it to whoever comes back, and tell nothing of it any more. One that cannot be left is closed. */
  async leave(closeTimeoutMs: number): Promise<void> {
    if (!(this.#isOpen || this.#isTakingOver) || !this.isResumable) return this.close(closeTimeoutMs)
    this.tellNotes()
    this.#upstream.say({ type: 'detach' })
    this.#telling.hush()
    this.#telling.leave()
    this.#end('detached', new LeadlineError('DRAINING', 'The session was left'))
  }

  /** Ask the worker to close; after `timeoutMs` without an answer the gateway settles what is left by itself. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state === 'over') return
    if (this.#state === 'lost') return this.#finishClosing('left')
    if (this.#state !== 'closing') {
      this.#state = 'closing'
      this.#upstream.say({ type: 'close' })
    }
    const timer = setTimeout(() => this.#finishClosing('left'), timeoutMs)
    await this.#closing.promise
    clearTimeout(timer)
  }

  /** End for good: first an error for every frame without outcome, then one for the session. */
  fail(code: ErrorCode, detail: string): void {
    this.#fail({ code, detail, parting: 'left' })
  }

  /** End here; if others may take it up, it is left to them with what it owes. */
  interrupt(code: ErrorCode, detail: string): void {
    if (this.#state === 'lost') return this.#upstream.leg.end(new LeadlineError(code, detail))
    const isOthersToo = this.isResumable && this.#isOthersToo
    this.#fail({ code, detail, parting: isOthersToo ? 'detached' : 'left' })
  }

  /** Another has taken the session: its frames get their outcome there. */
  replaced(): void {
    const detail = 'The session goes on over another connection, which resumed it later'
    this.#fail({ code: 'SESSION_REPLACED', detail, parting: 'replaced' })
  }

  /** Its worker is gone. What is open goes on elsewhere. */
  lose(detail: string): void {
    const reason = new LeadlineError('WORKER_LOST', detail)
    if (this.#state === 'lost') return this.#upstream.leg.end(reason)
    if (this.#isTakingOver) return this.#missWorker(reason)
    const { lifeline } = this.#upstream
    if (this.#state !== 'open' || !lifeline?.lost())
      return this.#fail({ code: reason.code, detail, parting: 'left' })
    this.#state = 'lost'
    this.#upstream.cut(reason)
    // Of a session that was taken over: frames that came through another gateway went with the worker.
    this.#telling.failAllBut((seq) => lifeline.has(seq), reason)
    this.#options.onLost(lifeline.sought)
  }

  /** Its worker was lost before it could be asked. What is sent from here on is for the next. */
  revive(lifeline: Lifeline): void {
    if (this.#state === 'opening') this.#missWorker(new LeadlineError('WORKER_LOST', 'There is no worker'))
    this.#isOthersToo = true
    this.#upstream.opened(lifeline)
    this.#telling.hold()
  }

  /** Have another worker open it with what is kept of it, and go on there. Rejects when that worker could not. */
  async goOn(route: Route, timeoutMs: number): Promise<void> {
    const { lifeline } = this.#upstream
    if (!lifeline) return
    const leg = this.#attach(route)
    this.#upstream.turnTo(leg)
    lifeline.placed()
    await leg.ask(lifeline.open, timeoutMs)
  }

  /** Its worker has given it to another, where it goes on as it was. `hasHeardAll`: it could say so itself. */
  moveTo({ workerId, token }: Moved, hasHeardAll: boolean): void {
    if ((this.#state !== 'open' && this.#state !== 'closing') || token <= this.route.token) return
    this.#upstream.moveTo(this.#attach({ sessionId: this.route.sessionId, workerId, token }), hasHeardAll)
    this.#options.onServed()
    if (this.#state === 'closing') this.#upstream.say({ type: 'close' })
  }

  /** Its worker is asked whether it has it still. */
  get #isTakingOver(): boolean {
    return this.#state === 'opening' && this.#isOthersToo
  }

  /** Whoever takes the session over has to go on without the worker. */
  #missWorker(reason: LeadlineError): void {
    this.#state = 'lost'
    this.#upstream.cut(reason)
  }

  get #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'lost'
  }

  #attach(route: Route): Leg {
    const leg: Leg = new Leg({
      ...{ link: this.#options.link, route },
      onEvent: (event) => leg === this.#upstream.leg && this.#receive(event),
      onFailure: ({ code, message }) => leg === this.#upstream.leg && this.interrupt(code, message)
    })
    return leg
  }

  #receive(event: WorkerEvent): void {
    if (this.#state === 'over') return
    switch (event.type) {
      case 'opened':
      case 'adopted':
        return this.#begun(event)
      case 'openFailed':
        return this.#failOpening(event)
      case 'closed':
        return this.#state === 'closing' ? this.#finishClosing('settled') : this.#endedByWorker(closed)
      case 'taken':
        return this.replaced()
      case 'moved':
        return this.moveTo(event, true)
      case 'error':
      case 'result':
      case 'drop':
        if (isFrameOutcome(event)) return this.#settle(event)
        return this.#endedByWorker(event)
      default:
        return this.#telling.tell(event)
    }
  }

  #begun(event: Answer): void {
    this.#isOthersToo = true
    if (event.type === 'adopted') this.#adopted(event)
    if (!this.#upstream.lifeline && this.#command) {
      const { account, isResumable, provisions } = this.#options
      const lifeline = beginLifeline(this.#command, event, { ...provisions, account, isResumable })
      this.#upstream.opened(lifeline)
      this.#command = null
    }
    if (this.#state === 'opening' || this.#state === 'lost') this.#state = 'open'
    this.#upstream.mend()
    this.#upstream.leg.begun(event)
    this.#options.onServed()
  }

  #adopted({ resumed }: Answer<'adopted'>): void {
    for (const seq of resumed.unsettled) this.#telling.accept(seq)
    this.#telling.hold()
  }

  #settle(outcome: FrameOutcome): void {
    this.#upstream.lifeline?.settled(outcome)
    if (this.#telling.put(outcome)) return
    const facts = { ...this.route, seq: outcome.seq, outcome: outcome.type }
    this.#options.log.error(facts, 'a second outcome for one frame was left out')
  }

  #fail({ code, detail, parting }: Failure): void {
    // The client has said that it will not come back.
    if (this.#state === 'closing') return this.#finishClosing(parting === 'detached' ? 'left' : parting)
    if (this.#state === 'over') return
    const wasOpen = this.#isOpen
    const reason = new LeadlineError(code, detail)
    this.#end(parting, reason)
    if (parting === 'left' || parting === 'settled') this.#telling.failAllBut(() => false, reason)
    this.#telling.leave()
    if (wasOpen) this.#telling.tell({ type: 'error', seq: null, code, detail })
  }

  #failOpening({ code, detail, retryAfterMs }: Extract<WorkerEvent, { type: 'openFailed' }>): void {
    const reason = new LeadlineError(code, detail, retryAfterMs === null ? {} : { retryAfterMs })
    if (this.#state === 'lost') return this.#upstream.leg.end(reason)
    if (this.#isTakingOver) return this.#missWorker(reason)
    this.#end('settled', reason)
  }

  /** One that was just going to have it is not the last. */
  #endedByWorker({ code, detail }: Pick<Failure, 'code' | 'detail'>): void {
    if (this.#state === 'lost') this.#upstream.leg.end(new LeadlineError(code, detail))
    else this.#fail({ code, detail, parting: 'settled' })
  }

  #finishClosing(parting: Parting): void {
    if (this.#state === 'over') return
    this.#end(parting, new LeadlineError('DRAINING', 'The session was closed before it was open'))
    this.#telling.finish((seq) => ({ type: 'drop', seq, reason: 'closed' }))
  }

  #end(parting: Parting, reason: LeadlineError): void {
    this.#state = 'over'
    this.#parting = parting
    this.#options.onOver(parting, this.#upstream.end(reason))
    this.#closing.resolve()
  }
}
