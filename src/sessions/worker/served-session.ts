import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { offeredBytes } from '../../offered-bytes.ts'
import type { FrameEngine, ModelOffer, OpenedSession, SessionEvent, SessionOptions } from '../../session.ts'
import { Checkpoints } from './checkpoints.ts'
import { OwedOutcomes } from './owed-outcomes.ts'
import type { KeptBytes } from './kept-outcomes.ts'
import type { OpenPast, SessionCommand, WorkerEvent, WorkerLink } from '../link.ts'
import type { Log } from '../log.ts'
import { DeviceSeat } from './parking/device-seat.ts'
import type { ParkingLot } from './parking/parking-lot.ts'
import { ServedRow } from './served-row.ts'
import type { Progress, SessionStore } from '../session-store.ts'
import { isAside, isFrameOutcome } from '../sessions.ts'

export interface ServedSessionOptions {
  sessionId: string
  workerId: string
  token: number
  engine: FrameEngine
  link: WorkerLink
  store: SessionStore
  log: Log
  /** What is kept for clients that come back, of all sessions of the worker. */
  keptBytes: KeptBytes
  lot: ParkingLot
  /** The session is over here and its memory free; called once. */
  onOver: () => void
}

type Command<T extends SessionCommand['type']> = Extract<SessionCommand, { type: T }>

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
  #token: number
  readonly #row: ServedRow
  /** Of a session that outlives its gateway. */
  #owed: OwedOutcomes | null = null
  /** Who has taken it while the engine was still opening it. */
  #heir: { token: number; command: Command<'adopt'> } | null = null
  /** Whether some gateway hears what is emitted. */
  #isHeard = true
  #opened: { opened: OpenedSession; options: SessionOptions } | null = null
  /** From when it is open. */
  #seat: DeviceSeat | null = null
  #checkpoints: Checkpoints | null = null

  constructor(options: ServedSessionOptions) {
    this.#options = options
    this.#token = options.token
    this.#row = new ServedRow({ ...options, isResumable: () => this.isResumable })
  }

  get token(): number {
    return this.#token
  }

  /** How far it got. */
  get progress(): Progress {
    return this.#progress
  }

  /** Resolves when the session is over; null: nothing has ended it. */
  get ending(): Promise<void> | null {
    return this.#ending
  }

  get isResumable(): boolean {
    return this.#owed !== null
  }

  get isHeard(): boolean {
    return this.#isHeard
  }

  open({ options, resumable, past }: Command<'open'>): Promise<void> {
    if (resumable) this.#owed = new OwedOutcomes((event) => this.#emit(event), this.#options.keptBytes)
    if (past) {
      this.#owed?.restore(past)
      this.#progress = { epoch: past.context.epoch, lastSeq: past.after }
    }
    this.#opening = this.#open(options, past)
    return this.#opening
  }

  /** Never opened: give the reservation back and say why. One that was open before may find another worker. */
  async refuse(error: LeadlineError, past: OpenPast | undefined): Promise<void> {
    if (!this.#silent) await this.#row.release(past && past.isCheckpoint !== true ? 'lose' : 'close')
    if (this.#heir) this.#token = this.#heir.token
    this.#emit({
      ...{ type: 'openFailed', code: error.code, detail: error.message },
      retryAfterMs: error.retryAfterMs ?? null
    })
    this.#over()
  }

  receive(command: SessionCommand): void {
    const { log, sessionId } = this.#options
    if (this.#state === 'opening') {
      this.#backlog.push(command)
      return
    }
    if (this.#state !== 'open') return
    switch (command.type) {
      case 'frame':
        return this.#submit(command)
      case 'aside':
        return this.#owed?.aside(command.aside)
      case 'flush':
        return this.#seat?.flush(command.id)
      case 'reset':
        return this.#seat?.reset()
      case 'checkpoint':
        return this.#seat?.inTurn(() => void this.#checkpoints?.save(command))
      case 'detach':
        // Nobody comes back for one that cannot be resumed.
        return this.isResumable ? this.detach() : void this.#end({ type: 'closed' })
      case 'close':
        return void this.#end({ type: 'closed' })
      case 'open':
      case 'adopt':
        return log.warn({ sessionId, type: command.type }, 'a command that makes no sense now was left out')
    }
  }

  /** Another gateway has taken the session. False: what it is to be told again is not kept. */
  adopt(token: number, command: Command<'adopt'>): boolean {
    const { engine, link, sessionId } = this.#options
    const { afterSeq } = command
    if (this.#state === 'opening' && this.isResumable) return this.#expectHeir(token, command)
    const taken = this.#opened && this.#owed?.takeOver(afterSeq)
    const offer = engine.offer.models.find(({ name }) => name === this.#opened?.opened.model)
    if (!taken || !this.#opened || !offer) return false
    this.#emit({ type: 'taken' })
    this.#token = this.#row.token = token
    this.#isHeard = true
    const { after, unsettled, events } = taken
    const { opened, options } = this.#opened
    const { epoch, lastSeq: seq } = this.#progress
    const position = engine.position(sessionId) ?? { epoch, seq, digest: null }
    this.#emit({
      ...{ type: 'adopted', opened: { ...opened, epoch }, options, offer },
      resumed: { continuity: 'exact', ...position, after, unsettled }
    })
    for (const event of events) link.emit(sessionId, token, event)
    return true
  }

  #expectHeir(token: number, command: Command<'adopt'>): boolean {
    const { link, sessionId } = this.#options
    if (this.#heir) link.emit(sessionId, this.#heir.token, { type: 'taken' })
    this.#heir = { token, command }
    this.#row.token = token
    return true
  }

  /** Nobody hears what is said until somebody adopts the session. */
  detach(): void {
    if (!this.#isHeard) return
    this.#isHeard = false
    this.#options.link.hush(this.#options.sessionId, this.#token)
  }

  /** Close from this side; the gateway gets outcomes for its frames, then the error. */
  end(code: ErrorCode, detail: string, rowToken = this.#token): Promise<void> {
    this.#row.token = rowToken
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
    if (this.#state !== 'open') return
    const outcome = await this.#row.touch(this.#token, this.#progress)
    // Whoever has taken it may not have told us yet, or the store has forgotten: what is none of ours is seen elsewhere.
    if (outcome === 'stale' && !this.isResumable) void this.giveUp(`its row is ${outcome}`)
  }

  async #open(options: SessionOptions, past?: OpenPast): Promise<void> {
    const { engine, log, lot, sessionId } = this.#options
    const offer = engine.offer.models.find(({ name }) => name === options.model)
    try {
      const opened = await lot.admit(offer ? offeredBytes(offer, options) : 0, () =>
        engine.open(sessionId, options, (event) => this.#pass(event), past?.context)
      )
      // Whatever wants to end the session waits for this method, and then closes what it opened.
      if (this.#ending) return
      if (!(await lot.admit(opened.bytes, () => this.#settle(opened, options))) || this.#ending) return
      this.#state = 'open'
      this.#opened = { opened, options }
      this.#takeSeat(opened, options)
      this.#checkpoints = new Checkpoints({ sessionId, engine, opened, emit: (event) => this.#emit(event) })
      this.#emit({ type: 'opened', opened })
      for (const command of this.#backlog.splice(0)) this.receive(command)
      if (this.#heir) this.adopt(this.#heir.token, this.#heir.command)
    } catch (error) {
      const named = asLeadlineError(error)
      if (named.code === 'INTERNAL') log.error({ err: error, sessionId }, 'the session could not be opened')
      if (this.#ending) return
      await engine.close(sessionId)
      await this.refuse(named, past)
    }
  }

  /** False when the session was lost meanwhile. */
  async #settle(opened: OpenedSession, options: SessionOptions): Promise<boolean> {
    const { bytes, epoch, model } = opened
    const offer = this.#options.engine.offer.models.find(({ name }) => name === model) as ModelOffer
    const outcome = await this.#row.settle(opened, { options, offer })
    if (outcome === 'full') {
      throw new LeadlineError('NO_CAPACITY', `"${model}" needs ${bytes} bytes, more than its worker has left`)
    }
    if (outcome === 'changed') {
      this.#progress = { ...this.#progress, epoch }
      return true
    }
    void this.giveUp(`its row is ${outcome}`)
    return false
  }

  #takeSeat({ bytes }: OpenedSession, { mode, priority }: SessionOptions): void {
    const { engine, lot, sessionId, store } = this.#options
    this.#seat = new DeviceSeat({
      ...{ sessionId, engine, store, bytes, priority, canPark: mode !== 'vda-window' },
      token: () => this.#token,
      isDetached: () => !this.#isHeard,
      emit: (event) => this.#pass(event),
      makeRoom: (wanted) => lot.makeRoom(wanted)
    })
    lot.add(this.#seat)
  }

  #submit({ frame, aside }: Command<'frame'>): void {
    const { log, sessionId } = this.#options
    if (aside) this.#owed?.aside(aside)
    const { seq } = frame.header
    if (this.#owed?.accept(seq) === false)
      return log.warn({ sessionId, seq }, 'a frame that came a second time was left out')
    this.#seat?.submit(frame)
  }

  #pass(event: SessionEvent): void {
    if (isAside(event)) return this.#emit(event)
    if (isFrameOutcome(event)) this.#seat?.settled()
    if ('epoch' in event) this.#progress = { ...this.#progress, epoch: event.epoch }
    else if (event.seq !== null) this.#progress = { ...this.#progress, lastSeq: event.seq }
    if (event.type === 'error' && event.seq === null) void this.#end(event)
    else if (this.#owed) this.#owed.push(event)
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
    this.#seat?.close()
    if (!this.#silent) await this.#row.release('close')
    this.#emit(last)
    this.#over()
  }

  #emit(event: WorkerEvent): void {
    if (this.#silent || !this.#isHeard) return
    this.#options.link.emit(this.#options.sessionId, this.#token, event)
  }

  #over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#owed?.end()
    this.#options.lot.remove(this.#options.sessionId)
    this.#options.link.release(this.#options.sessionId)
    this.#options.onOver()
  }
}
