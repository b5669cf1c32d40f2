import { randomBytes } from 'node:crypto'
import { asLeadlineError, LeadlineError } from '../errors.ts'
import type { ModelOffer, SessionEvent, SessionOptions } from '../session.ts'
import type { GatewayLink, Route } from './link.ts'
import { LiveSession } from './live-session.ts'
import type { Log } from './log.ts'
import { place, sessionBytes, type SessionWish } from './placement.ts'
import { hashResumeToken, newResumeToken } from './resume-token.ts'
import type { SessionStore, WorkerRow } from './session-store.ts'
import type { Readiness, SessionHandle, Sessions } from './sessions.ts'
import { alwaysHealthy } from './store-health.ts'
import type { StoreHealth } from './store-health.ts'

export interface SessionGatewayOptions {
  store: SessionStore
  link: GatewayLink
  log: Log
  /** @default always healthy, as in one process */
  health?: StoreHealth
  /** Numbers in [0, 1) for placement. @default Math.random */
  random?: () => number
  times?: Partial<GatewayTimes>
}

export interface GatewayTimes {
  /** How often the lives of gateway and workers are looked at; a lost worker is seen its TTL plus this later. */
  watchMs: number
  /** A worker may have to load the model first. */
  openTimeoutMs: number
  closeTimeoutMs: number
}

const gatewayTimes: GatewayTimes = { watchMs: 500, openTimeoutMs: 60_000, closeTimeoutMs: 5000 }
/** How long a client should wait before it tries again when every worker is full. */
const retryAfterMs = 2000

interface Placed {
  live: LiveSession
  workerInstance: string
}

/** Opens sessions on workers and follows them to their end. */
export class SessionGateway implements Sessions {
  readonly #options: SessionGatewayOptions
  readonly #health: StoreHealth
  readonly #times: GatewayTimes
  readonly #live = new Map<string, Placed>()
  readonly #stopWatchingHealth: () => void
  #id = newGatewayId()
  #watchTimer: NodeJS.Timeout | null = null
  #closed: Promise<void> | null = null

  constructor(options: SessionGatewayOptions) {
    this.#options = options
    this.#health = options.health ?? alwaysHealthy
    this.#times = { ...gatewayTimes, ...options.times }
    this.#stopWatchingHealth = this.#health.watch({
      down: (reason) => this.#loseStore(reason),
      up: () => {}
    })
  }

  /** Announce this gateway; from then on it watches the workers. */
  async start(): Promise<void> {
    await this.#options.store.renewGateway(this.#id)
    this.#watchLater()
  }

  async open(options: SessionOptions, onEvent: (event: SessionEvent) => void): Promise<SessionHandle> {
    this.#refuseIfAway()
    const resumeToken = newResumeToken()
    const { route, workerInstance } = await this.#reserve(options, hashResumeToken(resumeToken))
    const live = new LiveSession({
      ...{ link: this.#options.link, log: this.#options.log, route, onEvent },
      onOver: () => this.#live.delete(route.sessionId)
    })
    this.#live.set(route.sessionId, { live, workerInstance })
    const timer = setTimeout(() => this.#giveUpOpening(live), this.#times.openTimeoutMs)
    try {
      const opened = await live.open(options)
      return {
        ...{ id: route.sessionId, resumeToken, opened },
        submit: (frame) => live.submit(frame),
        get hasRoom() {
          return live.hasRoom
        },
        flush: (id) => live.flush(id),
        reset: () => live.reset(),
        close: () => live.close(this.#times.closeTimeoutMs)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async models(): Promise<ModelOffer[]> {
    const byName = new Map<string, ModelOffer>()
    for (const worker of await this.#options.store.workers()) {
      for (const offer of worker.offer.models) byName.set(offer.name, offer)
    }
    return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  async readiness(): Promise<Readiness> {
    if (this.#closed) return { ready: false, reason: 'This gateway is shutting down' }
    const away = this.#health.reason()
    if (away !== null) return { ready: false, reason: away }
    try {
      const workers = await this.#options.store.workers()
      if (workers.some((worker) => !worker.draining)) return { ready: true }
      return { ready: false, reason: workers.length > 0 ? 'Every worker is draining' : 'No worker is alive' }
    } catch (error) {
      return { ready: false, reason: asLeadlineError(error).message }
    }
  }

  /** Refuse new sessions, close the live ones, leave the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { link, log, store } = this.#options
    await Promise.all([...this.#live.values()].map(({ live }) => live.close(this.#times.closeTimeoutMs)))
    if (this.#watchTimer) clearTimeout(this.#watchTimer)
    this.#stopWatchingHealth()
    await link.close()
    if (this.#health.reason() !== null) return
    await store
      .removeGateway(this.#id)
      .catch((error: unknown) => log.debug({ err: error }, 'the gateway’s lease is left to run out'))
  }

  #refuseIfAway(): void {
    if (this.#closed) throw new LeadlineError('DRAINING', 'This gateway is shutting down; connect to another')
    const away = this.#health.reason()
    if (away !== null) throw new LeadlineError('STORE_UNAVAILABLE', away, { retryAfterMs })
  }

  /** Reserve bytes on some worker; one that fills up meanwhile is left out and the others are tried. */
  async #reserve(
    wish: SessionWish,
    resumeTokenHash: string
  ): Promise<{ route: Route; workerInstance: string }> {
    const { model } = wish
    const except = new Set<string>()
    const sessionId = `s_${randomBytes(12).toString('base64url')}`
    for (;;) {
      const worker = await this.#choose(wish, except)
      const offer = worker.offer.models.find((candidate) => candidate.name === model)
      const outcome = await this.#options.store.openSession({
        ...{ id: sessionId, model, modelDigest: offer?.digest ?? '', resumeTokenHash },
        ...{ workerId: worker.id, workerInstance: worker.instance, gatewayId: this.#id },
        bytes: sessionBytes(worker, wish) ?? 0
      })
      if (outcome.kind === 'opened') {
        return {
          route: { sessionId, workerId: worker.id, token: outcome.token },
          workerInstance: worker.instance
        }
      }
      except.add(worker.id)
    }
  }

  async #choose({ model, mode, cacheSize }: SessionWish, except: ReadonlySet<string>): Promise<WorkerRow> {
    const workers = await this.#options.store.workers()
    const placement = place(workers, { model, mode, cacheSize, except }, this.#options.random ?? Math.random)
    if (placement.kind === 'placed') return placement.worker
    if (placement.kind === 'noCapacity') {
      throw new LeadlineError('NO_CAPACITY', `Every worker that serves "${model}" is full; try again later`, {
        retryAfterMs
      })
    }
    throw noWorker(workers, model)
  }

  #giveUpOpening(live: LiveSession): void {
    const { workerId } = live.route
    this.#options.log.warn(live.route, 'the worker did not open the session in time')
    live.abandon(
      'WORKER_LOST',
      `Worker ${workerId} did not open the session in ${this.#times.openTimeoutMs} ms`
    )
  }

  /**
   * End every session. Their workers may not know: under a new id this gateway no longer vouches for the old sessions,
   * and their workers close them when the lease of the old id runs out.
   */
  #loseStore(reason: string): void {
    this.#id = newGatewayId()
    for (const { live } of [...this.#live.values()]) live.fail('STORE_UNAVAILABLE', reason)
  }

  #watchLater(): void {
    if (this.#closed) return
    this.#watchTimer = setTimeout(() => void this.#watch(), this.#times.watchMs)
  }

  async #watch(): Promise<void> {
    const { log, store } = this.#options
    try {
      if (this.#health.reason() === null) {
        await store.renewGateway(this.#id)
        await this.#endSessionsOfLostWorkers()
      }
    } catch (error) {
      log.debug({ err: error }, 'the workers could not be looked at')
    }
    this.#watchLater()
  }

  async #endSessionsOfLostWorkers(): Promise<void> {
    // Read before the rows: a session opened meanwhile is on a worker that these rows may not show yet.
    const sessions = [...this.#live.values()]
    const workers = await this.#options.store.workers()
    const instances = new Map(workers.map((worker) => [worker.id, worker.instance]))
    for (const { live, workerInstance } of sessions) {
      const { workerId } = live.route
      if (instances.get(workerId) === workerInstance) continue
      live.fail('WORKER_LOST', `Worker ${workerId} stopped renewing its lease; open a new session`)
    }
    await this.#reap()
  }

  async #reap(): Promise<void> {
    const { link, log, store } = this.#options
    const lost = await store.reapWorkers()
    if (lost.workerIds.length === 0) return
    log.warn({ workerIds: lost.workerIds, sessions: lost.sessions.length }, 'workers were lost')
    const sessionIds = lost.sessions.map((row) => row.id)
    await link.forget(lost.workerIds, sessionIds)
  }
}

function newGatewayId(): string {
  return `g_${randomBytes(8).toString('base64url')}`
}

function noWorker(workers: readonly WorkerRow[], model: string): LeadlineError {
  const names = new Set(workers.flatMap((worker) => worker.offer.models.map((offer) => offer.name)))
  if (workers.length === 0)
    return new LeadlineError('NO_WORKER', 'No worker is alive; start one', { retryAfterMs })
  if (!names.has(model)) {
    return new LeadlineError(
      'MODEL_UNKNOWN',
      `No worker serves "${model}"; they serve ${[...names].sort().join(', ')}`
    )
  }
  return new LeadlineError('NO_WORKER', `Every worker that serves "${model}" is draining`, { retryAfterMs })
}
