import type { Route } from '../link.ts'
import type { Log } from '../log.ts'
import { outageMs } from '../session-store.ts'
import type { SessionRow, SessionStore } from '../session-store.ts'

interface LostRowsOptions {
  store: SessionStore
  log: Log
  gatewayId: string
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

interface Known {
  row: SessionRow
  /** For how long it may be of use; null: as long as the session is held here. */
  untilMs: number | null
}

/**
 * The rows of sessions that this gateway holds, has left, or has found without a worker. Where Redis forgets one while no
 * worker has the session, there is nobody else to write it anew.
 */
export class LostRows {
  readonly #options: LostRowsOptions
  readonly #now: () => number
  readonly #known = new Map<string, Known>()

  constructor(options: LostRowsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** A worker has the session: its row as it is now, or as it was known where it cannot be read. */
  async learn({ sessionId, token }: Route, isHeld: () => boolean): Promise<void> {
    const { log, store } = this.#options
    try {
      const row = await store.session(sessionId)
      if (row?.token === token && isHeld()) this.hold(row)
    } catch (error) {
      log.debug({ err: error, sessionId }, 'the row of a session could not be read')
    }
  }

  /** The same until it is read. */
  presume(row: SessionRow): void {
    if (!this.#known.has(row.id)) this.hold(row)
  }

  /** Of a session that is held here. */
  hold(row: SessionRow): void {
    this.#known.set(row.id, { row, untilMs: null })
  }

  /** Nobody holds it, and its client may come back for as long as its grace. */
  leave({ sessionId, token }: Route): void {
    const known = this.#own(sessionId, token)
    if (!known) return
    const row = { ...known.row, token, gatewayId: null }
    this.#known.set(sessionId, { row, untilMs: this.#now() + row.graceMs })
  }

  /** It is over, or another's. */
  forget({ sessionId, token }: Route): void {
    if (this.#own(sessionId, token)) this.#known.delete(sessionId)
  }

  /** They were lost with their worker. Those that are held here are known. */
  lost(rows: readonly SessionRow[]): void {
    this.#sweep()
    for (const row of rows) {
      if (this.#known.has(row.id)) continue
      const lifeMs = row.gatewayId === null ? row.graceMs : Math.max(outageMs, row.graceMs)
      this.#known.set(row.id, { row, untilMs: this.#now() + lifeMs })
    }
  }

  /** Write anew what the store has lost and no worker has written. `held`: where those are that are held here. */
  async restore(held: readonly Route[]): Promise<void> {
    const { gatewayId, log, store } = this.#options
    this.#sweep()
    const others = [...this.#known.values()].filter(({ untilMs }) => untilMs !== null)
    const missing = await store.lostSessions(held.map(({ sessionId, token }) => ({ id: sessionId, token })))
    const routes = new Map(held.map((route) => [route.sessionId, route]))
    const own = missing.flatMap(({ id, why }) => {
      const [route, row] = [routes.get(id), this.#known.get(id)?.row]
      if ((why !== 'gone' && why !== 'behind') || !route || !row) return []
      return [{ ...row, workerId: route.workerId, token: route.token, gatewayId }]
    })
    const rows = [...own, ...others.map(({ row }) => row)]
    const outcomes = await Promise.all(rows.map((row) => store.restoreLost(row)))
    const sessions = outcomes.filter((outcome) => outcome === 'restored').length
    if (sessions > 0) log.warn({ sessions }, 'rows of sessions without a worker were written anew')
  }

  /** What is known of it, unless it was taken from here again since. */
  #own(sessionId: string, token: number): Known | null {
    const known = this.#known.get(sessionId)
    return known && known.row.token <= token ? known : null
  }

  #sweep(): void {
    for (const [id, { untilMs }] of this.#known)
      if (untilMs !== null && untilMs <= this.#now()) this.#known.delete(id)
  }
}
