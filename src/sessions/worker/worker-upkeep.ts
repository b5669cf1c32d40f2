import type { Log } from '../log.ts'
import { neglected } from './neglect.ts'
import type { Findings } from './neglect.ts'
import type { ServedSession } from './served-session.ts'
import type { KeptSession, SessionStore } from '../session-store.ts'

interface UpkeepOptions {
  store: SessionStore
  log: Log
  workerId: string
}

const everyMs = 1000
const lastWords = 'The gateway of the session is gone or has left it'

/**
 * What a worker does for its sessions' rows now and then, apart from its heartbeat, which must wait for none of it:
 * writes how far they got, and closes what no gateway will ever close.
 */
export class WorkerUpkeep {
  readonly #options: UpkeepOptions
  readonly #sessions: ReadonlyMap<string, ServedSession>
  #findings: Findings = new Map()
  #timer: NodeJS.Timeout | null = null
  #isBusy = false

  constructor(options: UpkeepOptions, sessions: ReadonlyMap<string, ServedSession>) {
    this.#options = options
    this.#sessions = sessions
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
      await this.#closeNeglected()
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the rows of the sessions could not be kept up')
    } finally {
      this.#isBusy = false
    }
  }

  async #closeNeglected(): Promise<void> {
    const { store, workerId } = this.#options
    const kept = await store.keepSessions(workerId)
    const served = new Set(this.#sessions.keys())
    const { findings, closing, rowless } = neglected({ kept, served, before: this.#findings })
    this.#findings = findings
    for (const id of rowless) void this.#sessions.get(id)?.giveUp('its row is gone')
    await Promise.all(closing.map((row) => this.#close(row)))
  }

  async #close({ id, token, gateway }: KeptSession): Promise<void> {
    const { log, store } = this.#options
    const served = this.#sessions.get(id)
    if (served?.isEnding) return
    log.warn({ sessionId: id, gateway }, 'closed a session that nobody will close')
    // Not awaited: a session that is still opening takes as long as a model takes to load.
    if (served) void served.end('WORKER_LOST', lastWords)
    else await store.closeSession(id, token)
  }
}
