import { LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ValidFrame } from '../../frame.ts'
import type { OpenedSession, SessionEvent, SessionOptions } from '../../session.ts'
import type { GatewayLink, Route, SessionLink, WorkerEvent } from '../link.ts'
import type { Log } from '../log.ts'

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
  /** Accepted and without outcome, in seq order. */
  readonly #unsettled = new Set<number>()
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
    this.#onOver = options.onOver
    this.#link = options.link.attach(
      options.route,
      (event) => this.#receive(event),
      (error) => this.fail(error.code, error.message)
    )
  }

  open(options: SessionOptions): Promise<OpenedSession> {
    if (this.#state === 'opening') this.#link.send({ type: 'open', options })
    return this.#opening.promise
  }

  submit(frame: ValidFrame): void {
    if (this.#state !== 'open') return
    this.#unsettled.add(frame.header.seq)
    this.#link.send({ type: 'frame', frame })
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
      case 'closed':
        return this.#state === 'closing'
          ? this.#finishClosing(true)
          : this.#fail({ ...closedByWorker(this.route), settled: true })
      case 'error':
        if (event.seq === null) return this.#fail({ ...event, settled: true })
        return this.#settle(event.seq, event)
      case 'result':
      case 'drop':
        return this.#settle(event.seq, event)
      case 'reset':
      case 'recovered':
      case 'flushed':
        return this.#onEvent(event)
    }
  }

  #settle(seq: number, event: SessionEvent): void {
    if (this.#unsettled.delete(seq)) return this.#onEvent(event)
    const { sessionId } = this.route
    this.#log.error({ sessionId, seq, outcome: event.type }, 'a second outcome for one frame was left out')
  }

  #fail({ code, detail, settled }: Failure): void {
    if (this.#state === 'closing') return this.#finishClosing(settled)
    if (this.#state === 'over') return
    const wasOpen = this.#state === 'open'
    this.#end(settled)
    for (const seq of this.#unsettled) this.#onEvent({ type: 'error', seq, code, detail })
    this.#unsettled.clear()
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
    for (const seq of this.#unsettled) this.#onEvent({ type: 'drop', seq, reason: 'closed' })
    this.#unsettled.clear()
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
