import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { FrameEngine, OpenedSession, SessionEvent, SessionOptions } from '../../session.ts'
import type { SessionCommand, WorkerLink } from '../link.ts'
import type { Log } from '../log.ts'
import type { Progress, SessionStore } from '../session-store.ts'

interface ServedSessionOptions {
  sessionId: string
  token: number
  engine: FrameEngine
  link: WorkerLink
  store: SessionStore
  log: Log
  /** The session is over here and its memory free; called once. */
  onOver: () => void
}

/** A session as its worker sees it: opened in the engine, then fed in order, then closed and its bytes given back. */
export class ServedSession {
  readonly #options: ServedSessionOptions
  /** Commands that came while the engine was still opening. */
  readonly #backlog: SessionCommand[] = []
  #state: 'opening' | 'open' | 'ending' | 'over' = 'opening'
  #ending: Promise<void> | null = null
  #opening: Promise<void> = Promise.resolve()
  #silent = false
  #progress: Progress = { epoch: 0, lastSeq: -1 }
  #touched: Progress = this.#progress

  constructor(options: ServedSessionOptions) {
    this.#options = options
  }

  get token(): number {
    return this.#options.token
  }

  get isEnding(): boolean {
    return this.#ending !== null
  }

  open(options: SessionOptions): Promise<void> {
    this.#opening = this.#open(options)
    return this.#opening
  }

  /** Never opened: give the reservation back and say why. */
  async refuse(error: LeadlineError): Promise<void> {
    await this.#release()
    this.#emit({
      ...{ type: 'openFailed', code: error.code, detail: error.message },
      retryAfterMs: error.retryAfterMs ?? null
    })
    this.#over()
  }

  receive(command: SessionCommand): void {
    const { engine, log, sessionId } = this.#options
    if (this.#state === 'opening') {
      this.#backlog.push(command)
      return
    }
    if (this.#state !== 'open') return
    switch (command.type) {
      case 'frame':
        return engine.submit(sessionId, command.frame)
      case 'flush':
        return engine.flush(sessionId, command.id)
      case 'reset':
        return engine.reset(sessionId)
      case 'aside':
        return
      // Nobody comes back for it.
      case 'detach':
      case 'close':
        return void this.#end({ type: 'closed' })
      case 'adopt':
      case 'open':
        return log.warn({ sessionId, type: command.type }, 'a command that makes no sense now was left out')
    }
  }

  /** Close from this side; the gateway gets outcomes for its frames, then the error. */
  end(code: ErrorCode, detail: string): Promise<void> {
    return this.#end({ type: 'error', seq: null, code, detail })
  }

  /** Free the engine without a word to anyone: the right to speak for the session is gone. */
  giveUp(reason: string): Promise<void> {
    if (this.#ending) return this.#ending
    this.#silent = true
    return this.#end({ type: 'error', seq: null, code: 'WORKER_LOST', detail: reason })
  }

  /** Write how far the session got, if it got further. */
  async touch(): Promise<void> {
    const progress = this.#progress
    if (this.#state !== 'open' || progress === this.#touched) return
    const outcome = await this.#options.store.touchSession(this.#options.sessionId, this.token, progress)
    if (outcome === 'changed') this.#touched = progress
    else void this.giveUp(`its row is ${outcome}`)
  }

  async #open(options: SessionOptions): Promise<void> {
    const { engine, log, sessionId } = this.#options
    try {
      const opened = await engine.open(sessionId, options, (event) => this.#pass(event))
      // Whatever wants to end the session waits for this method, and then closes what it opened.
      if (this.#ending || !(await this.#settle(opened)) || this.#ending) return
      this.#state = 'open'
      this.#emit({ type: 'opened', opened })
      for (const command of this.#backlog.splice(0)) this.receive(command)
    } catch (error) {
      const named = asLeadlineError(error)
      if (named.code === 'INTERNAL') log.error({ err: error, sessionId }, 'the session could not be opened')
      if (this.#ending) return
      await engine.close(sessionId)
      await this.refuse(named)
    }
  }

  /** Write what the engine settled on into the row; false when the session was lost meanwhile. */
  async #settle(opened: OpenedSession): Promise<boolean> {
    const { sessionId, store } = this.#options
    const { modelDigest, epoch, bytes, model } = opened
    const outcome = await store.settleSession(sessionId, this.token, { modelDigest, epoch, bytes })
    if (outcome === 'full') {
      throw new LeadlineError('NO_CAPACITY', `"${model}" needs ${bytes} bytes, more than its worker has left`)
    }
    if (outcome === 'changed') {
      this.#progress = this.#touched = { ...this.#progress, epoch }
      return true
    }
    void this.giveUp(`its row is ${outcome}`)
    return false
  }

  #pass(event: SessionEvent): void {
    if ('epoch' in event) this.#progress = { ...this.#progress, epoch: event.epoch }
    else if (event.seq !== null) {
      this.#progress = { ...this.#progress, lastSeq: event.seq }
    }
    if (event.type === 'error' && event.seq === null) void this.#end(event)
    else this.#emit(event)
  }

  #end(last: SessionEvent | { type: 'closed' }): Promise<void> {
    this.#ending ??= this.#finish(last)
    return this.#ending
  }

  async #finish(last: SessionEvent | { type: 'closed' }): Promise<void> {
    const { engine, log, sessionId } = this.#options
    await this.#opening
    if (this.#state === 'over') return
    this.#state = 'ending'
    try {
      await engine.close(sessionId)
    } catch (error) {
      log.error({ err: error, sessionId }, 'the engine failed to close the session')
    }
    await this.#release()
    this.#emit(last)
    this.#over()
  }

  async #release(): Promise<void> {
    const { log, sessionId, store } = this.#options
    if (this.#silent) return
    try {
      await store.closeSession(sessionId, this.token)
    } catch (error) {
      log.debug({ err: error, sessionId }, 'the row could not be removed; it ends with the lease')
    }
  }

  #emit(event: Parameters<WorkerLink['emit']>[2]): void {
    if (!this.#silent) this.#options.link.emit(this.#options.sessionId, this.token, event)
  }

  #over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#options.link.release(this.#options.sessionId)
    this.#options.onOver()
  }
}
