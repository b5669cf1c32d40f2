import type { LeadlineError } from '../../errors.ts'
import type { GatewayLink, Route } from '../link.ts'
import type { LiveSession } from './live-session.ts'
import type { Log } from '../log.ts'
import type { Roster } from './roster.ts'
import type { SessionStore } from '../session-store.ts'
import { Twice } from './twice.ts'

interface WatchOptions {
  link: GatewayLink
  log: Log
  store: SessionStore
  roster: Roster
}

export interface Watched {
  live: LiveSession
  /** The life of the worker that serves it. */
  workerInstance: string
}

/** A worker that is lost is seen its TTL and up to two looks later. */
const lookMs = 500

/** The live sessions of a gateway. Looks twice a second whether their workers and rows are still there. */
export class GatewayWatch {
  readonly #options: WatchOptions
  readonly #sessions = new Map<string, Watched>()
  /** Over here, while their workers may not know: told until they are noted. */
  readonly #left = new Map<string, Route>()
  readonly #missingWorkers = new Twice()
  readonly #missingRows = new Twice()
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null

  constructor(options: WatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), lookMs)
  }

  add(watched: Watched): void {
    this.#sessions.set(watched.live.route.sessionId, watched)
  }

  /** `settled`: its worker has said so. */
  over(route: Route, settled: boolean): void {
    this.#sessions.delete(route.sessionId)
    if (settled) return
    this.#left.set(route.sessionId, route)
    void this.#leave(route).catch(() => {})
  }

  failAll({ code, message }: LeadlineError): void {
    for (const { live } of [...this.#sessions.values()]) live.fail(code, message)
  }

  /** Close every session and look no more. */
  async closeAll(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ live }) => live.close(timeoutMs)))
    if (this.#timer) clearInterval(this.#timer)
    await this.#looking
  }

  /** One at a time; what fails is tried again at the next. */
  #look(): Promise<void> {
    this.#looking ??= Promise.all([
      this.#lookAtWorkers(),
      this.#lookAtRows(),
      ...[...this.#left.values()].map((route) => this.#leave(route))
    ])
      .then(
        () => {},
        (error: unknown) => this.#options.log.debug({ err: error }, 'the workers could not be looked at')
      )
      .finally(() => (this.#looking = null))
    return this.#looking
  }

  async #lookAtWorkers(): Promise<void> {
    // Before the rows: a session opened meanwhile is on a worker that these rows may not show yet.
    const sessions = [...this.#sessions.values()]
    const { live, lapsed } = await this.#options.roster.read()
    const instances = new Map(live.map((worker) => [worker.id, worker.instance]))
    const absent = sessions.map((session) => session.live.route.workerId).filter((id) => !instances.has(id))
    const lost = new Set(this.#missingWorkers.look([...new Set([...absent, ...lapsed])]))
    for (const { live: session, workerInstance } of sessions) {
      const { workerId } = session.route
      const instance = instances.get(workerId)
      if (instance === workerInstance || (instance === undefined && !lost.has(workerId))) continue
      session.fail('WORKER_LOST', `Worker ${workerId} stopped renewing its lease; open a new session`)
    }
    await this.#reap([...lost])
    const wanted = [...this.#sessions.values()].map((session) => session.live.route.workerId)
    await this.#options.link.keepOnly(new Set([...instances.keys(), ...wanted]))
  }

  async #reap(workerIds: readonly string[]): Promise<void> {
    if (workerIds.length === 0) return
    const { link, log, store } = this.#options
    const lost = await store.reapWorkers(workerIds)
    if (lost.workerIds.length > 0) {
      log.warn({ workerIds: lost.workerIds, sessions: lost.sessions.length }, 'workers were lost')
    }
    // Whoever noted it: each gateway may have put something there since.
    const sessionIds = lost.sessions.map((row) => row.id)
    await link.forget(workerIds, sessionIds)
  }

  /** A row that is gone although the worker lives: it gave the session up, or Redis lost it. */
  async #lookAtRows(): Promise<void> {
    const keys = [...this.#sessions.values()].map(({ live }) => ({
      id: live.route.sessionId,
      token: live.route.token
    }))
    if (keys.length === 0) return
    const missing = await this.#options.store.lostSessions(keys)
    for (const id of this.#missingRows.look(missing.map((session) => session.id))) {
      const session = this.#sessions.get(id)?.live
      session?.fail('WORKER_LOST', `Worker ${session.route.workerId} gave the session up; open a new session`)
    }
  }

  async #leave(route: Route): Promise<void> {
    await this.#options.store.leaveSession(route.sessionId, route.token)
    this.#left.delete(route.sessionId)
  }
}
