import { LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ValidFrame } from '../../frame.ts'
import type { SessionEvent } from '../../session.ts'
import { AsideNotes } from './aside-notes.ts'
import { deferred } from './deferred.ts'
import type { GatewayLink, Route, SessionCommand, SessionLink, WorkerEvent } from '../link.ts'
import type { Log } from '../log.ts'
import { OutcomeOrder } from '../outcome-order.ts'
import { isFrameOutcome } from '../sessions.ts'
import type { DepthlessOutcome, FrameOutcome } from '../sessions.ts'

/**
 * settled: its worker has said that it is over. left: it is over, and the worker may not know. detached: it is kept for
 * whoever comes back. replaced: somebody else has it.
 */
export type Parting = 'settled' | 'left' | 'detached' | 'replaced'

type Answer<T extends WorkerEvent['type']> = Extract<WorkerEvent, { type: T }>
type Begin = Extract<SessionCommand, { type: 'open' | 'adopt' }>

interface LiveSessionOptions {
  link: GatewayLink
  route: Route
  /** Whether it outlives this gateway. */
  isResumable: boolean
  log: Log
  onEvent: (event: SessionEvent) => void
  /** The client has shown that it was given the session that it resumed. Called once at most. */
  onConfirmed: () => void
  /** The session is over here. Called once. */
  onOver: (parting: Parting) => void
}

/**
 * A session as its gateway sees it. It knows every accepted seq that has no outcome yet, and that is how each gets
 * exactly one: from the worker, or from here when the worker can give none any more. A session that others may take up
 * keeps its outcomes with its worker: from here, frames get one only once it is over for good.
 */
export class LiveSession {
  readonly route: Route
  readonly isResumable: boolean
  readonly #outcomes: OutcomeOrder
  readonly #notes = new AsideNotes()
  readonly #link: SessionLink
  readonly #log: Log
  readonly #onEvent: (event: SessionEvent) => void
  readonly #onOver: (parting: Parting) => void
  #onConfirmed: (() => void) | null
  readonly #opening = deferred<Answer<'opened' | 'adopted'>>()
  readonly #closing = deferred<void>()
  /** Events that wait until whoever asked for the session has it. */
  #held: SessionEvent[] | null = null
  /** Somebody knows how to resume it. */
  #isOthersToo = false
  #state: 'opening' | 'open' | 'closing' | 'over' = 'opening'

  constructor(options: LiveSessionOptions) {
    this.route = options.route
    this.isResumable = options.isResumable
    this.#log = options.log
    this.#onEvent = options.onEvent
    this.#onOver = options.onOver
    this.#onConfirmed = options.onConfirmed
    this.#outcomes = new OutcomeOrder((outcome) => this.#tell(outcome))
    this.#link = options.link.attach(
      options.route,
      (event) => this.#receive(event),
      (error) => this.interrupt(error.code, error.message)
    )
  }

  begin(command: Begin): Promise<Answer<'opened' | 'adopted'>> {
    this.#isOthersToo = command.type === 'adopt'
    // Of a new session there is no token before.
    if (command.type === 'open') this.#onConfirmed = null
    if (this.#state === 'opening') this.#link.send(command)
    return this.#opening.promise
  }

  submit(frame: ValidFrame): void {
    if (this.#state !== 'open') return
    this.#confirm()
    this.#outcomes.accept(frame.header.seq)
    const aside = this.#notes.take()
    this.#link.send(aside === null ? { type: 'frame', frame } : { type: 'frame', frame, aside })
  }

  /** The gateway ends a frame that the worker never gets. */
  settle(outcome: DepthlessOutcome): void {
    if (this.#state !== 'open') return
    this.#confirm()
    this.#outcomes.accept(outcome.seq)
    this.#outcomes.put(outcome)
    if (this.isResumable) this.#notes.settle(outcome)
  }

  ack(seq: number): void {
    if (!this.isResumable) return
    this.#confirm()
    this.#notes.ack(seq)
  }

  /** Tell the worker what rode with no frame. */
  tellNotes(): void {
    if (this.#state !== 'open') return
    const aside = this.#notes.take()
    if (aside !== null) this.#link.send({ type: 'aside', aside })
  }

  get hasRoom(): boolean {
    return this.#link.hasRoom
  }

  flush(id: string): void {
    if (this.#state !== 'open') return
    this.#confirm()
    this.#link.send({ type: 'flush', id })
  }

  reset(): void {
    if (this.#state !== 'open') return
    this.#confirm()
    this.#link.send({ type: 'reset' })
  }

  /** Leave it to whoever comes back, and tell nothing of it any more. One that cannot be left is closed. */
  async leave(closeTimeoutMs: number): Promise<void> {
    if (this.#state !== 'open' || !this.isResumable) return this.close(closeTimeoutMs)
    this.tellNotes()
    this.#link.send({ type: 'detach' })
    this.#held = null
    this.#outcomes.clear()
    this.#end('detached')
  }

  /** Ask the worker to close; after `timeoutMs` without an answer the gateway settles what is left by itself. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state === 'over') return
    if (this.#state !== 'closing') {
      this.#state = 'closing'
      this.#link.send({ type: 'close' })
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
    const isOthersToo = this.isResumable && this.#isOthersToo
    this.#fail({ code, detail, parting: isOthersToo ? 'detached' : 'left' })
  }

  /** Another has taken the session: its frames get their outcome there. */
  replaced(): void {
    const detail = 'The session goes on over another connection, which resumed it later'
    this.#fail({ code: 'SESSION_REPLACED', detail, parting: 'replaced' })
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
        return this.#state === 'closing'
          ? this.#finishClosing('settled')
          : this.#fail({ ...closedByWorker(this.route), parting: 'settled' })
      case 'taken':
        return this.replaced()
      case 'error':
      case 'result':
      case 'drop':
        if (isFrameOutcome(event)) return this.#settle(event)
        return this.#fail({ ...event, parting: 'settled' })
      case 'reset':
      case 'recovered':
      case 'flushed':
        return this.#tell(event)
    }
  }

  #begun(event: Answer<'opened' | 'adopted'>): void {
    if (this.#state === 'opening') this.#state = 'open'
    this.#isOthersToo = true
    if (event.type === 'adopted') {
      for (const seq of event.resumed.unsettled) this.#outcomes.accept(seq)
      this.#held = []
      // Whoever waits for the session, however many promises away, has it by then.
      setImmediate(() => this.#unhold())
    }
    this.#opening.resolve(event)
  }

  #confirm(): void {
    if (this.#onConfirmed === null) return
    this.#onConfirmed()
    this.#onConfirmed = null
  }

  #unhold(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const event of held) this.#onEvent(event)
  }

  #tell(event: SessionEvent): void {
    if (this.#held) this.#held.push(event)
    else this.#onEvent(event)
  }

  #settle(outcome: FrameOutcome): void {
    if (this.#outcomes.put(outcome)) return
    const { seq, type } = outcome
    this.#log.error({ ...this.route, seq, outcome: type }, 'a second outcome for one frame was left out')
  }

  #fail({ code, detail, parting }: Failure): void {
    // The client has said that it will not come back.
    if (this.#state === 'closing') return this.#finishClosing(parting === 'detached' ? 'left' : parting)
    if (this.#state === 'over') return
    const wasOpen = this.#state === 'open'
    this.#end(parting)
    if (parting === 'left' || parting === 'settled')
      this.#outcomes.finish((seq) => ({ type: 'error', seq, code, detail }))
    this.#outcomes.clear()
    if (wasOpen) this.#tell({ type: 'error', seq: null, code, detail })
    else this.#opening.reject(new LeadlineError(code, detail))
  }

  #failOpening(event: Answer<'openFailed'>): void {
    this.#end('settled')
    const retry = event.retryAfterMs === null ? {} : { retryAfterMs: event.retryAfterMs }
    this.#opening.reject(new LeadlineError(event.code, event.detail, retry))
    this.#closing.resolve()
  }

  #finishClosing(parting: Parting): void {
    if (this.#state === 'over') return
    this.#end(parting)
    this.#outcomes.finish((seq) => ({ type: 'drop', seq, reason: 'closed' }))
    this.#opening.reject(new LeadlineError('DRAINING', 'The session was closed before it was open'))
    this.#closing.resolve()
  }

  #end(parting: Parting): void {
    this.#state = 'over'
    this.#link.detach()
    this.#onOver(parting)
  }
}

interface Failure {
  code: ErrorCode
  detail: string
  parting: Parting
}

function closedByWorker({ workerId }: Route): Pick<Failure, 'code' | 'detail'> {
  return { code: 'WORKER_LOST', detail: `Worker ${workerId} closed the session` }
}
