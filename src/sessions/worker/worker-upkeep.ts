import { Calm } from '../calm.ts'
import type { Log } from '../log.ts'
import { foundInCalm, neglected } from './neglect.ts'
import type { Findings } from './neglect.ts'
import { RowClaims } from './row-claims.ts'
import type { ServedSession } from './served-session.ts'
import type { KeptSession, SessionRow, SessionStore } from '../session-store.ts'

interface UpkeepOptions {
  store: SessionStore
  log: Log
  workerId: string
}

const everyMs = 1000
const lastWords = 'The gateway of the session is gone or has left it'
const lastWordsToHearer = 'Somebody ended the session from outside; open a new one'

/**
 * What a worker does for its sessions' rows now and then, apart from its heartbeat, which must wait for none of it:
 * writes how far they got, and anew what the store has lost or has as it was before, keeps for their clients those whose
 * gateway is gone, and closes what nobody will ever close.
 */
export class WorkerUpkeep {
  readonly #options: UpkeepOptions
  readonly #sessions: ReadonlyMap<string, ServedSession>
  readonly #claims: RowClaims
  readonly #calm = new Calm()
  #findings: Findings = new Map()
  #timer: NodeJS.Timeout | null = null
  #isBusy = false

  constructor(options: UpkeepOptions, sessions: ReadonlyMap<string, ServedSession>) {
    this.#options = options
    this.#sessions = sessions
    this.#claims = new RowClaims(options.store)
  }

  /** The store was away: what is missing in it may come back. */
  beCalm(): void {
    this.#calm.begin()
    this.#findings = new Map()
  }

  /** Write every row anew that the store has lost. Rejects when that failed. */
  async restoreAll(): Promise<void> {
    this.beCalm()
    await Promise.all([...this.#sessions].map(([id, served]) => this.#restore(id, served)))
  }

  /** A gateway has taken the session, and this is its row. */
  know(row: SessionRow): void {
    this.#claims.know(row)
  }

  /** A session is open: what the store has of it is read at once, since it may forget that before the next round. */
  async opened(id: string): Promise<void> {
    const { log, store } = this.#options
    try {
      const row = await store.session(id)
      if (row && row.token === this.#sessions.get(id)?.token) this.#claims.know(row)
    } catch (error) {
      log.debug({ err: error, sessionId: id }, 'the row is read in the next round')
    }
  }

  start(): void {
    this.#timer = setInterval(() => void this.#round(), everyMs)
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }

  /** One at a time; what fails is tried again in the next. */
  async #round(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      await Promise.all([...this.#sessions.values()].map((served) => served.touch()))
      await this.#attendToNeglected()
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the rows of the sessions could not be kept up')
    } finally {
      this.#isBusy = false
    }
  }

  async #attendToNeglected(): Promise<void> {
    const { store, workerId } = this.#options
    // As it was before the rows were read: what is adopted meanwhile is ahead of them, and they are not behind.
    const served = new Map(
      [...this.#sessions].map(([id, { token, isResumable, voice }]) => [
        id,
        { token, isResumable, isHeard: voice.isHeard, isAwaiting: voice.isAwaiting }
      ])
    )
    const kept = await store.keepSessions(workerId)
    for (const row of kept) {
      const one = this.#sessions.get(row.id)
      if (!row.isMovingIn && one?.token === row.token) one.agree(row)
    }
    await this.#claims.learn(kept, this.#sessions)
    const neglect = neglected({ kept, served, before: this.#findings })
    this.#findings = neglect.findings
    await Promise.all(
      [...neglect.rowless, ...neglect.behind].map((id) => this.#restore(id, this.#sessions.get(id)))
    )
    if (this.#calm.isOn) return void (this.#findings = foundInCalm(neglect.findings))
    await Promise.all([
      ...neglect.detaching.map((row) => this.#detach(row)),
      ...neglect.closing.map((row) => this.#close(row))
    ])
  }

  async #restore(id: string, served: ServedSession | undefined): Promise<void> {
    if (!served || served.ending) return
    const outcome = await this.#claims.restore(id, served)
    if (outcome === 'restored') this.#options.log.info({ sessionId: id }, 'its row was written anew')
    // A worker that is not registered itself cannot say yet; it is asked again.
    else if (outcome !== 'workerGone')
      void served.giveUp(outcome === 'stale' ? 'another has it' : 'its row is gone')
  }

  /** Its grace begins, if it has not begun yet. */
  async #detach({ id, token, gateway }: KeptSession): Promise<void> {
    const { log, store } = this.#options
    if (gateway !== 'detached') {
      log.info({ sessionId: id, gateway }, 'nobody hears a session; it is kept for its client')
      if ((await store.detachSession(id, token)) !== 'changed') return
    }
    const served = this.#sessions.get(id)
    // Who has taken it since is heard of by its token.
    if (served && served.token <= token) served.detach()
  }

  async #close(row: KeptSession): Promise<void> {
    const { id, token, gateway } = row
    const { log, store } = this.#options
    const served = this.#sessions.get(id)
    if (served?.ending) return
    // Whoever takes it in this moment has it.
    if (gateway === 'expired' && (await store.leaveSession(id, token)) !== 'changed') return
    const level = gateway === 'expired' ? 'info' : 'warn'
    log[level]({ sessionId: id, gateway }, 'closed a session that nobody will close')
    // Not awaited: a session that is still opening takes as long as a model takes to load.
    // A gateway that has left it hears nothing any more; whoever hears did not end it.
    // Where the grace is over nobody hears it either, and nobody comes back.
    if (served && (gateway === 'left' || gateway === 'expired'))
      void served.end('SESSION_ENDED', lastWordsToHearer, token)
    else if (served) void served.end('WORKER_LOST', lastWords, token)
    else await this.#lose(row)
  }

  /**
   * One that never came here. Whoever holds it has it opened elsewhere, or its client comes back for it within its grace; of one that
   * was never open nobody knows.
   */
  async #lose({ id, token, gateway }: KeptSession): Promise<void> {
    const { store } = this.#options
    const row = await store.session(id)
    if (row?.state === 'opening' || (gateway === 'gone' && row?.resumable === false))
      return void (await store.closeSession(id, token))
    if (gateway === 'gone') await store.detachSession(id, token)
    await store.loseSession(id, token)
  }
}
