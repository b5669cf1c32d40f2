import type { CheckpointEvent, ParkingEvent, SessionEvent } from '../../session.ts'
import type { Log } from '../log.ts'
import type { ChangeOutcome, Progress, SessionStore, Settlement } from '../session-store.ts'

export interface ServedRowOptions {
  sessionId: string
  workerId: string
  token: number
  isResumable: () => boolean
  store: SessionStore
  log: Log
}

/** A session's row, as the worker that serves it changes it, and how far the session got. */
export class ServedRow {
  readonly #options: ServedRowOptions
  #progress: Progress = { epoch: 0, lastSeq: -1 }
  #touched: Progress | null = null
  /** Ahead of the session's own where that was taken and its worker was never told. */
  token: number

  constructor(options: ServedRowOptions) {
    this.#options = options
    this.token = options.token
  }

  get progress(): Progress {
    return this.#progress
  }

  goOnFrom(progress: Progress): void {
    this.#progress = progress
  }

  pass(event: Exclude<SessionEvent, CheckpointEvent | ParkingEvent>): void {
    if ('epoch' in event) this.#progress = { ...this.#progress, epoch: event.epoch }
    else if ('seq' in event && event.seq !== null) this.#progress = { ...this.#progress, lastSeq: event.seq }
  }

  /** Write what the engine settled on. A session that was opened under a token that its row never had has no right to it. */
  settle(settled: Settlement): Promise<ChangeOutcome | 'full'> {
    const { sessionId, store } = this.#options
    const from = this.token
    return this.#underItsToken(
      (token) => store.settleSession(sessionId, token, settled),
      (token) => token > from
    )
  }

  /** Write how far the session got, if it got further. False: this token is the row's no more. */
  async touch(token: number): Promise<boolean> {
    const { sessionId, store } = this.#options
    const progress = this.#progress
    if (progress === this.#touched) return true
    const outcome = await store.touchSession(sessionId, token, progress)
    if (outcome === 'changed') this.#touched = progress
    return outcome !== 'stale'
  }

  /** Nothing is served under it any more: it goes, or waits for another worker. */
  async release(how: 'close' | 'lose'): Promise<void> {
    const { log, sessionId, store } = this.#options
    try {
      await this.#underItsToken((token) =>
        how === 'lose' ? store.loseSession(sessionId, token) : store.closeSession(sessionId, token)
      )
    } catch (error) {
      log.debug({ err: error, sessionId }, 'the row could not be removed; it ends with the lease')
    }
  }

  /** Change the row also where somebody has taken the session, and that is still to be told here, or was forgotten. */
  async #underItsToken<T extends string>(
    change: (token: number) => Promise<T>,
    isOurs: (token: number) => boolean = () => true
  ): Promise<T> {
    const { isResumable, sessionId, store, workerId } = this.#options
    const outcome = await change(this.token)
    if (outcome !== 'stale' || !isResumable()) return outcome
    const row = await store.session(sessionId)
    if (row?.workerId !== workerId || row.state === 'lost' || !isOurs(row.token)) return outcome
    this.token = row.token
    return change(row.token)
  }
}
