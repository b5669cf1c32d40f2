import { setTimeout as wait } from 'node:timers/promises'
import type { ValidFrame } from '../../../wire/frame.ts'
import type { FrameEngine } from '../../../frame-engine.ts'
import type { ParkReason, SessionEvent } from '../../../session.ts'
import type { KeptSession, ReserveOutcome, SessionStore } from '../../session-store.ts'
import type { WorkerSessionState } from '../../metrics/session-meters.ts'
import type { Seat } from './park-policy.ts'

export interface DeviceSeatOptions {
  sessionId: string
  engine: Pick<FrameEngine, 'submit' | 'flush' | 'reset' | 'park'>
  store: Pick<SessionStore, 'parkSession' | 'unparkSession'>
  bytes: number
  priority: number
  /** False: its engine cannot, as with the windows of a clip, which cannot be moved either. */
  canPark: boolean
  /** The session's own by now. */
  token: () => number
  isDetached: () => boolean
  emit: (event: SessionEvent) => void
  /** Of the worker, whose other sessions may be parked for this one. */
  lot: {
    /** Resolves with false where there is nobody to park. */
    makeRoom: (bytes: number) => Promise<boolean>
    /** It was back for a frame, which waited so long for its outcome. */
    unparked: (ms: number) => void
  }
  /** Write once more what it was opened with into a row that is open or opening. */
  settle: () => Promise<ReserveOutcome>
}

/** What its row says of a session's place. */
export type RowSeat = Pick<KeptSession, 'state' | 'deviceBytes'>

type Held = { frame: ValidFrame } | { call: () => void }

/** How often the store is asked again for memory, when it cannot say: it is away, or the session was just taken over. */
const retryMs = 100

/**
 * A session's place in device memory: what is meant for its engine passes here, and waits while the session leaves its
 * place or takes it again. The row has the memory for at least as long as the engine: parked in the engine first, reserved in
 * the row first. A store that came back as it was before is told again where it says another thing.
 */
export class DeviceSeat {
  readonly #options: DeviceSeatOptions
  #state: 'seated' | 'parking' | 'parked' | 'returning' | 'over' = 'seated'
  /** Came while it was not seated, in order. */
  readonly #held: Held[] = []
  /** Its session stands still: it is not to be parked. */
  isHeld = false
  #framesInFlight = 0
  #usedAtMs = performance.now()
  #isNoticed = false
  /** When the frame came that it returned for, and that has no outcome yet. */
  #wokenAtMs: number | null = null
  /** Whether the row says that it is parked. */
  #isNoted = false
  #noting: Promise<void> | null = null
  #isAgreeing = false

  constructor(options: DeviceSeatOptions) {
    this.#options = options
  }

  get id(): string {
    return this.#options.sessionId
  }

  /** As the policy sees it; null: it takes no device memory, is about to, or is not to be parked. */
  get view(): Seat | null {
    if (this.#state !== 'seated' || this.isHeld) return null
    const { sessionId: id, bytes, canPark, priority, isDetached } = this.#options
    const { framesInFlight, idleMs } = this
    const use = { isDetached: isDetached(), framesInFlight, idleMs, isNoticed: this.#isNoticed }
    return { id, bytes, canPark, priority, ...use }
  }

  /** As operators see it. */
  get sessionState(): WorkerSessionState {
    if (this.isHeld) return 'moving'
    if (this.#state === 'parked' || this.#state === 'returning') return 'parked'
    return this.#options.isDetached() ? 'detached' : 'active'
  }

  get framesInFlight(): number {
    return this.#framesInFlight
  }

  /** Since the last frame came, or had its outcome. */
  get idleMs(): number {
    return performance.now() - this.#usedAtMs
  }

  /** Whether all that came is in the engine, which can give it to another. */
  get canMove(): boolean {
    return this.#options.canPark && (this.#state === 'seated' || this.#state === 'parked')
  }

  submit(frame: ValidFrame): void {
    this.#framesInFlight++
    this.#use()
    if (this.#state === 'seated') return this.#options.engine.submit(this.id, frame)
    this.#held.push({ frame })
    if (this.#state === 'parked') void this.#return()
  }

  flush(flushId: string): void {
    this.inTurn(() => this.#options.engine.flush(this.id, flushId))
  }

  reset(): void {
    this.inTurn(() => this.#options.engine.reset(this.id))
  }

  /** What is asked of the engine, in its place among the frames. It does not need the device. */
  inTurn(call: () => void): void {
    if (this.#state === 'seated' || this.#state === 'parked') call()
    else this.#held.push({ call })
  }

  /** A frame has its outcome. */
  settled(): void {
    this.#framesInFlight--
    this.#use()
    if (this.#wokenAtMs !== null) this.#options.lot.unparked(this.#usedAtMs - this.#wokenAtMs)
    this.#wokenAtMs = null
  }

  notify(deadlineMs: number, reason: ParkReason): void {
    const { bytes, emit } = this.#options
    this.#isNoticed = true
    emit({ type: 'notice', reason, bytes, deadlineMs: Math.round(deadlineMs) })
  }

  /** Leave device memory. Resolves with what is free now; 0 if a frame came, or the engine cannot. */
  async park(reason: ParkReason): Promise<number> {
    const { emit, engine } = this.#options
    if (this.#state !== 'seated' || this.#framesInFlight > 0) return 0
    this.#state = 'parking'
    if (!this.#isNoticed) this.notify(0, reason)
    const bytes = await engine.park(this.id).catch(() => 0)
    if (this.#isOver) return 0
    if (bytes === 0) {
      this.#sit()
      return 0
    }
    this.#isNoted = false
    await this.note()
    if (this.#isOver) return bytes
    this.#state = 'parked'
    emit({ type: 'parked', reason, bytes })
    if (this.#held.some((item) => 'frame' in item)) void this.#return()
    else this.#release()
    return bytes
  }

  /** Tell the row that the memory is free, if it does not know. What fails is tried again at the next call. */
  note(): Promise<void> {
    if (this.#isNoted || (this.#state !== 'parking' && this.#state !== 'parked')) return Promise.resolve()
    this.#noting ??= this.#note().finally(() => (this.#noting = null))
    return this.#noting
  }

  /**
   * Its row was found to say so. What it says may be of a moment ago, so that nothing is told which does harm when the row
   * knows it; what fails is told again at the next look.
   */
  agree(row: RowSeat): void {
    const isSeen = row.state === 'attached' || row.state === 'detached'
    if (this.#state === 'parked' && isSeen) {
      this.#isNoted = false
      void this.note()
      return
    }
    const lacksBytes = this.#state === 'seated' && row.deviceBytes !== this.#options.bytes
    if (!this.#isAgreeing && (row.state === 'opening' || lacksBytes)) void this.#agree(row)
  }

  /** The session is over: what waits for the engine gets there no more. */
  close(): void {
    this.#state = 'over'
    for (const item of this.#held.splice(0))
      if ('frame' in item) this.#options.emit({ type: 'drop', seq: item.frame.header.seq, reason: 'closed' })
  }

  get #isOver(): boolean {
    return this.#state === 'over'
  }

  async #note(): Promise<void> {
    const { store, token } = this.#options
    const outcome = await store.parkSession(this.id, token()).catch(() => 'away')
    this.#isNoted = outcome === 'changed'
  }

  async #agree({ state }: RowSeat): Promise<void> {
    const { bytes, lot, settle } = this.#options
    this.#isAgreeing = true
    const told = state === 'parked' ? this.#reserve() : settle().catch(() => 'away' as const)
    if ((await told) === 'full') await lot.makeRoom(bytes)
    this.#isAgreeing = false
  }

  async #return(): Promise<void> {
    const { bytes, lot } = this.#options
    this.#state = 'returning'
    this.#wokenAtMs = performance.now()
    await this.#noting
    while (!this.#isOver) {
      const outcome = await this.#reserve()
      if (this.#isOver) return
      if (outcome === 'changed') return this.#sit()
      if (outcome !== 'full') await wait(retryMs)
      else if (!(await lot.makeRoom(bytes))) return this.#refuse()
    }
  }

  async #reserve(): Promise<ReserveOutcome | 'away'> {
    const { bytes, store, token } = this.#options
    return await store.unparkSession(this.id, token(), bytes).catch(() => 'away' as const)
  }

  #sit(): void {
    this.#state = 'seated'
    this.#use()
    this.#release()
  }

  /** There is no room: what waits fails, and the session stays where it is. */
  #refuse(): void {
    if (this.#isOver) return
    const { bytes, emit } = this.#options
    const detail = `The session is parked, and its worker has no ${bytes} bytes of device memory free; try again later`
    this.#state = 'parked'
    this.#wokenAtMs = null
    for (const item of this.#held.splice(0)) {
      if ('call' in item) item.call()
      else emit({ type: 'error', seq: item.frame.header.seq, code: 'NO_CAPACITY', detail })
    }
  }

  #release(): void {
    for (const item of this.#held.splice(0)) {
      if ('call' in item) item.call()
      else this.#options.engine.submit(this.id, item.frame)
    }
  }

  #use(): void {
    this.#usedAtMs = performance.now()
    this.#isNoticed = false
  }
}
