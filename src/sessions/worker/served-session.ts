import type { ErrorCode, LeadlineError } from '../../errors.ts'
import type { OutputChange } from '../../wire/output.ts'
import type { OpenedSession, SessionEvent, SessionOptions } from '../../session.ts'
import { Checkpoints } from './checkpoints.ts'
import { Conversation } from './conversation.ts'
import { enterEngine } from './enter-engine.ts'
import type { Settle } from './enter-engine.ts'
import { Departure } from './moving/departure.ts'
import { Standstill } from './moving/standstill.ts'
import type { OpenPast, SessionCommand } from '../link.ts'
import { DeviceSeat, type RowSeat } from './parking/device-seat.ts'
import { ServedRow } from './served-row.ts'
import type { ServedSessionOptions } from './served-session-options.ts'
import type { Progress, Settlement } from '../session-store.ts'
import { isAside, isFrameOutcome } from '../sessions.ts'
import { Voice } from './voice.ts'

/** With what it begins. */
type Entry = Omit<Extract<SessionCommand, { type: 'open' }>, 'type'>
type LastWord = SessionEvent | { type: 'closed' }

/** A session as its worker sees it: opened in the engine, then fed in order, then closed and its bytes given back. */
export class ServedSession {
  readonly #options: ServedSessionOptions
  #state: 'opening' | 'open' | 'ending' | 'over' = 'opening'
  #ending: Promise<void> | null = null
  #opening: Promise<void> = Promise.resolve()
  readonly voice: Voice
  readonly #row: ServedRow
  readonly #conversation: Conversation
  readonly #standstill = new Standstill()
  readonly departure: Departure
  #opened: { opened: OpenedSession; options: SessionOptions } | null = null
  /** From when it is open. */
  #seat: DeviceSeat | null = null
  #checkpoints: Checkpoints | null = null

  constructor(options: ServedSessionOptions) {
    this.#options = options
    const voice = (this.voice = new Voice(options))
    const conversation = (this.#conversation = new Conversation({ ...options, voice }))
    this.#row = new ServedRow({ ...options, isResumable: () => this.isResumable })
    this.departure = new Departure({
      ...{ ...options, voice, conversation, standstill: this.#standstill },
      current: () => this.#current,
      giveUp: (reason) => this.giveUp(reason)
    })
  }

  get token(): number {
    return this.voice.token
  }

  /** How far it got. */
  get progress(): Progress {
    return this.#row.progress
  }

  /** Resolves when the session is over; null: nothing has ended it. */
  get ending(): Promise<void> | null {
    return this.#ending
  }

  get isResumable(): boolean {
    return this.#conversation.isResumable
  }

  get sessionId(): string {
    return this.#options.sessionId
  }

  open(entry: Entry): Promise<void> {
    const { engine, sessionId } = this.#options
    this.#begin(entry)
    const settle: Settle = (settled) => this.#row.settle(settled)
    this.#opening = this.#open(entry, settle).catch(async (error: LeadlineError) => {
      if (this.#ending) return
      await engine.close(sessionId)
      await this.refuse(error, entry.past)
    })
    return this.#opening
  }

  /** It comes from another worker, and is this one's once `commit` says so. False: it is still the other's. */
  async moveIn(entry: Entry, commit: Settle): Promise<boolean> {
    const { engine, sessionId } = this.#options
    let isHere = false
    this.#begin(entry)
    this.voice.await()
    const settle: Settle = async (settled) => {
      await engine.whole(sessionId)
      const outcome = await commit(settled)
      isHere = outcome === 'changed'
      return outcome
    }
    this.#opening = this.#open(entry, settle).catch(async () => {
      this.voice.silence()
      if (this.#ending) return
      await engine.close(sessionId)
      this.#over()
    })
    await this.#opening
    return isHere
  }

  /** True while it opens, or stands still to be moved: then it is called later. */
  postpone(call: () => void): boolean {
    return this.#standstill.postpone(call)
  }

  /** Never opened: give the reservation back and say why. One that was open before may find another worker. */
  async refuse(error: LeadlineError, past: OpenPast | undefined): Promise<void> {
    if (!this.voice.isSilent) await this.#row.release(past && past.isCheckpoint !== true ? 'lose' : 'close')
    this.voice.say({
      ...{ type: 'openFailed', code: error.code, detail: error.message },
      retryAfterMs: error.retryAfterMs ?? null
    })
    this.#over()
  }

  receive(command: SessionCommand): void {
    const { log, sessionId } = this.#options
    if (this.#state !== 'open') return
    switch (command.type) {
      case 'frame':
        if (this.#conversation.accept(command)) this.#seat?.submit(command.frame)
        return
      case 'aside':
        return this.#conversation.aside(command.aside)
      case 'flush':
        return this.#seat?.flush(command.id)
      case 'reset':
        return this.#seat?.reset()
      case 'update': {
        const { id, output } = command
        return this.#seat?.inTurn(() => this.#options.engine.update(this.sessionId, { id, output }))
      }
      case 'checkpoint':
        return this.#seat?.inTurn(() => void this.#checkpoints?.save(command))
      case 'detach':
        return this.isResumable ? this.detach() : this.#part()
      case 'close':
        return void this.#end({ type: 'closed' })
      case 'join':
        return this.#conversation.join(command)
      case 'open':
      case 'adopt':
        return log.warn({ sessionId, type: command.type }, 'a command that makes no sense now was left out')
    }
  }

  /** Another gateway has taken the session. False: what it is to be told again is not kept. */
  adopt(token: number, afterSeq: number): boolean {
    const { engine, link, sessionId } = this.#options
    const taken = this.#opened && this.#conversation.takeOver(afterSeq)
    const offer = engine.offer.models.find(({ name }) => name === this.#opened?.opened.model)
    if (!taken || !this.#opened || !offer) return false
    this.voice.turnTo(token)
    this.#row.token = token
    const { opened, options } = this.#opened
    const { epoch, lastSeq: seq } = this.progress
    const position = engine.position(sessionId) ?? { epoch, seq, digest: null }
    this.voice.say({
      ...{ type: 'adopted', opened: { ...opened, epoch }, options, offer },
      resumed: { continuity: 'exact', ...position, after: taken.after, unsettled: taken.unsettled }
    })
    for (const event of taken.events) link.emit(sessionId, token, event)
    return true
  }

  /** Nobody hears what is said until somebody adopts the session. */
  detach(): void {
    this.voice.detach()
  }

  /** Close from this side; the gateway gets outcomes for its frames, then the error. */
  end(code: ErrorCode, detail: string, rowToken = this.token): Promise<void> {
    this.#row.token = rowToken
    return this.#end({ type: 'error', seq: null, code, detail })
  }

  /** Its gateway hears it no more: it has ended it, which the row says, or is about to have another worker open it. */
  #part(): void {
    this.voice.detach()
    void this.#end({ type: 'error', seq: null, code: 'WORKER_LOST', detail: 'nobody hears it' }, 'lose')
  }

  /** Free the engine without a word to anyone: the right to speak for the session is gone. */
  giveUp(reason: string): Promise<void> {
    if (this.#ending) return this.#ending
    this.voice.silence()
    return this.#end({ type: 'error', seq: null, code: 'WORKER_LOST', detail: reason })
  }

  /** The session was opened anew: `next` is called once this one is gone, and what comes meanwhile follows it, in order. */
  giveWay(next: () => void): void {
    this.#standstill.begin()
    this.#standstill.postpone(next)
    void this.giveUp('it was opened anew')
  }

  /** Write how far the session got, if it got further. */
  async touch(): Promise<void> {
    this.#conversation.tick()
    if (this.#state !== 'open' || (await this.#row.touch(this.token))) return
    // Whoever has taken it may not have told us yet, or the store has forgotten: what is none of ours is seen elsewhere.
    if (!this.isResumable) void this.giveUp('its row is stale')
  }

  /** Its row is found to say so. */
  agree(row: RowSeat): void {
    if (this.#state === 'open') this.#seat?.agree(row)
  }

  get #current() {
    if (this.#state !== 'open' || this.#ending || !this.#opened || !this.#seat) return null
    const canMove = this.#seat.canMove && this.#checkpoints?.isSaving === false
    return { ...this.#opened, seat: this.#seat, lastSeq: this.progress.lastSeq, canMove }
  }

  /** Throws LeadlineErrors. */
  async #open({ options, account, past }: Entry, settle: Settle): Promise<void> {
    const emit = (event: SessionEvent): void => this.#pass(event)
    const isOver = (): boolean => this.#ending !== null
    const entered = await enterEngine(this.#options, { options, account, past, settle, emit, isOver })
    if (this.#ending || entered === null) return
    if (typeof entered === 'string') return void this.giveUp(entered)
    const { opened } = entered.terms
    this.#row.goOnFrom({ ...this.progress, epoch: opened.epoch })
    this.#state = 'open'
    this.#conversation.opened()
    this.#opened = { opened, options }
    this.#takeSeat(entered)
    this.#checkpoints = new Checkpoints({ ...this.#options, opened, emit: (event) => this.voice.say(event) })
    if (!this.voice.isAwaiting) this.voice.say({ type: 'opened', opened })
    this.#standstill.end()
  }

  #begin(entry: Entry): void {
    this.#standstill.begin()
    this.#conversation.begin(entry)
    if (entry.past) this.#row.goOnFrom({ epoch: entry.past.context.epoch, lastSeq: entry.past.after })
  }

  #takeSeat(settled: Settlement): void {
    const { engine, lot, sessionId, store } = this.#options
    const { bytes, terms } = settled
    const { mode, priority } = terms.options
    this.#seat = new DeviceSeat({
      ...{ sessionId, engine, store, lot, bytes, priority, canPark: mode !== 'vda-window' },
      token: () => this.token,
      isDetached: () => !this.voice.isHeard,
      emit: (event) => this.#pass(event),
      settle: () => this.#row.settle({ ...settled, epoch: this.progress.epoch })
    })
    lot.add(this.#seat)
  }

  #pass(event: SessionEvent): void {
    if (isAside(event)) return this.voice.say(event)
    if (isFrameOutcome(event)) this.#seat?.settled()
    if (event.type === 'updated') this.#updated(event)
    this.#row.pass(event)
    if (event.type === 'error' && event.seq === null) void this.#end(event)
    else this.#conversation.tell(event)
  }

  /** Whoever has the session next opens it so. */
  #updated({ output }: OutputChange): void {
    if (this.#opened) this.#opened.options = { ...this.#opened.options, output }
  }

  #end(last: LastWord, row: 'close' | 'lose' = 'close'): Promise<void> {
    return (this.#ending ??= this.#finish(last, row))
  }

  async #finish(last: LastWord, row: 'close' | 'lose'): Promise<void> {
    const { engine, log, sessionId } = this.#options
    await this.#opening
    if (this.#state === 'over') return
    this.#state = 'ending'
    const failed = (error: unknown) => log.error({ err: error, sessionId }, 'the engine failed to close it')
    await engine.close(sessionId).catch(failed)
    this.#seat?.close()
    if (!this.voice.isSilent) await this.#row.release(row)
    this.voice.say(last)
    this.#over(last.type === 'closed' || (last.type === 'error' && last.code === 'SESSION_ENDED'))
  }

  #over(isForGood = false): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#conversation.end(isForGood)
    this.#options.lot.remove(this.#options.sessionId)
    this.#options.link.release(this.#options.sessionId)
    this.#options.onOver()
    this.#standstill.end()
  }
}
