import { LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ValidFrame } from '../../frame.ts'
import type { OpenedSession, SessionEvent, SessionOptions } from '../../session.ts'
import type { GatewayLink, Route, SessionLink, WorkerEvent } from '../link.ts'
import type { Log } from '../log.ts'
import { OutcomeOrder } from '../outcome-order.ts'
import { isFrameOutcome } from '../sessions.ts'
import type { DepthlessOutcome, FrameOutcome } from '../sessions.ts'

interface LiveSessionOptions {
  link: GatewayLink
  route: Route
  log: Log
  onEvent: (event: SessionEvent) => void
  /** The session is over; `settled` if its worker has said so, else it may hold it still. Called once. */
  onOver: (settled: boolean) => void
}

/**
 * A session as its gateway sees it. It knows every accepted seq that has no outcome yet, and that is how each gets
 * exactly one: from the worker, or from here when the worker can give none any more.
 */
export class LiveSession {
  readonly route: Route
  readonly #outcomes: OutcomeOrder
  readonly #link: SessionLink
  readonly #log: Log
  readonly #onEvent: (event: SessionEvent) => void
  readonly #onOver: (settled: boolean) => void
  readonly #opening = withResolvers<OpenedSession>()
  readonly #closing = withResolvers<void>()
  #state: 'opening' | 'open' | 'closing' | 'over' = 'opening'

  constructor(options: LiveSessionOptions) {
    this.route = options.route
    this.#log = options.log
    this.#onEvent = options.onEvent
    this.#outcomes = new OutcomeOrder(options.onEvent)
    this.#onOver = options.onOver
    this.#link = options.link.attach(
      options.route,
      (event) => this.#receive(event),
      (error) => this.fail(error.code, error.message)
    )
  }

  open(options: SessionOptions): Promise<OpenedSession> {
    if (this.#state === 'opening') this.#link.send({ type: 'open', options, resumable: false })
    return this.#opening.promise
  }

  submit(frame: ValidFrame): void {
    if (this.#state !== 'open') return
    this.#outcomes.accept(frame.header.seq)
    this.#link.send({ type: 'frame', frame })
  }

  /** The gateway ends a frame that the worker never gets. */
  settle(outcome: DepthlessOutcome): void {
    if (this.#state !== 'open') return
    this.#outcomes.accept(outcome.seq)
    this.#outcomes.put(outcome)
  }

  get hasRoom(): boolean {
    return this.#link.hasRoom
  }

  flush(id: string): void {
    if (this.#state === 'open') this.#link.send({ type: 'flush', id })
  }

  reset(): void {
    if (this.#state === 'open') this.#link.send({ type: 'reset' })
  }

  /** Ask the worker to close; after `timeoutMs` without an answer the gateway settles what is left by itself. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#state === 'over') return
    if (this.#state !== 'closing') {
      this.#state = 'closing'
      this.#link.send({ type: 'close' })
    }
    const timer = setTimeout(() => this.#finishClosing(false), timeoutMs)
    await this.#closing.promise
    clearTimeout(timer)
  }

  /** End with an error: first one for every frame without outcome, then one for the session. */
  fail(code: ErrorCode, detail: string): void {
    this.#fail({ code, detail, settled: false })
  }

  #receive(event: WorkerEvent): void {
    if (this.#state === 'over') return
    switch (event.type) {
      case 'opened':
        if (this.#state === 'opening') this.#state = 'open'
        return this.#opening.resolve(event.opened)
      case 'openFailed':
        return this.#failOpening(event)
      case 'adopted':
      case 'taken':
        return this.#log.error({ ...this.route, event: event.type }, 'an event that was not asked for')
      case 'closed':
        return this.#state === 'closing'
          ? this.#finishClosing(true)
          : this.#fail({ ...closedByWorker(this.route), settled: true })
      case 'error':
      case 'result':
      case 'drop':
        if (isFrameOutcome(event)) return this.#settle(event)
        return this.#fail({ ...event, settled: true })
      case 'reset':
      case 'recovered':
      case 'flushed':
        return this.#onEvent(event)
    }
  }

  #settle(outcome: FrameOutcome): void {
    if (this.#outcomes.put(outcome)) return
    const { seq, type } = outcome
    this.#log.error({ ...this.route, seq, outcome: type }, 'a second outcome for one frame was left out')
  }

  #fail({ code, detail, settled }: Failure): void {
    if (this.#state === 'closing') return this.#finishClosing(settled)
    if (this.#state === 'over') return
    const wasOpen = this.#state === 'open'
    this.#end(settled)
    this.#outcomes.finish((seq) => ({ type: 'error', seq, code, detail }))
    if (wasOpen) this.#onEvent({ type: 'error', seq: null, code, detail })
    else this.#opening.reject(new LeadlineError(code, detail))
  }

  #failOpening(event: Extract<WorkerEvent, { type: 'openFailed' }>): void {
    this.#end(true)
    const retry = event.retryAfterMs === null ? {} : { retryAfterMs: event.retryAfterMs }
    this.#opening.reject(new LeadlineError(event.code, event.detail, retry))
    this.#closing.resolve()
  }

  #finishClosing(settled: boolean): void {
    if (this.#state === 'over') return
    this.#end(settled)
    this.#outcomes.finish((seq) => ({ type: 'drop', seq, reason: 'closed' }))
    this.#opening.reject(new LeadlineError('DRAINING', 'The session was closed before it was open'))
    this.#closing.resolve()
  }

  #end(settled: boolean): void {
    this.#state = 'over'
    this.#link.detach()
    this.#onOver(settled)
  }
}

interface Failure {
  code: ErrorCode
  detail: string
  settled: boolean
}

function closedByWorker({ workerId }: Route): Pick<Failure, 'code' | 'detail'> {
  return { code: 'WORKER_LOST', detail: `Worker ${workerId} closed the session` }
}

interface Resolvers<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: LeadlineError) => void
}

function withResolvers<T>(): Resolvers<T> {
  let resolve: Resolvers<T>['resolve'] = () => {}
  let reject: Resolvers<T>['reject'] = () => {}
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil
    reject = refuse
  })
  // Whoever waits sees the rejection; when nobody does it must not end the process.
  promise.catch(() => {})
  return { promise, resolve, reject }
}
