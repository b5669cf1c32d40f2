import type { OpenedSession, SessionOptions, ModelOffer } from '../../session.ts'
import type { Log } from '../log.ts'
import type { ChangeOutcome, Progress, SessionStore } from '../session-store.ts'

export interface ServedRowOptions {
  sessionId: string
  workerId: string
  token: number
  isResumable: () => boolean
  store: SessionStore
  log: Log
}

/** A session's row, as the worker that serves it changes it. */
export class ServedRow {
  readonly #options: ServedRowOptions
  #touched: Progress | null = null
  /** Ahead of the session's own where that was taken and its worker was never told. */
  token: number

  constructor(options: ServedRowOptions) {
    this.#options = options
    this.token = options.token
  }

  /** Write what the engine settled on. */
  async settle(
    opened: OpenedSession,
    { options, offer }: { options: SessionOptions; offer: ModelOffer }
  ): Promise<ChangeOutcome | 'full'> {
    const { sessionId, store } = this.#options
    const { modelDigest, epoch, bytes } = opened
    const settled = { modelDigest, epoch, bytes, terms: { options, opened, offer } }
    return this.#underItsToken((token) => store.settleSession(sessionId, token, settled))
  }

  /** Write how far the session got, if it got further; the outcome where something was written. */
  async touch(token: number, progress: Progress): Promise<ChangeOutcome | null> {
    if (progress === this.#touched) return null
    const outcome = await this.#options.store.touchSession(this.#options.sessionId, token, progress)
    if (outcome === 'changed') this.#touched = progress
    return outcome
  }

  /** Nothing is served under it any more: it goes, or waits for another worker. */
  async release(how: 'close' | 'lose'): Promise<void> {
    const { log, sessionId, store } = this.#options
    try {
      if (how === 'lose') await store.loseSession(sessionId, this.token)
      else await this.#underItsToken((token) => store.closeSession(sessionId, token))
    } catch (error) {
      log.debug({ err: error, sessionId }, 'the row could not be removed; it ends with the lease')
    }
  }

  /** Change the row also where somebody has taken the session, and that is still to be told here. */
  async #underItsToken<T extends string>(change: (token: number) => Promise<T>): Promise<T> {
    const { isResumable, sessionId, store, workerId } = this.#options
    const outcome = await change(this.token)
    if (outcome !== 'stale' || !isResumable()) return outcome
    const row = await store.session(sessionId)
    if (row?.workerId !== workerId || row.state === 'lost') return outcome
    this.token = row.token
    return change(row.token)
  }
}
