import { randomBytes } from 'node:crypto'
import { LeadlineError } from '../errors.ts'
import type { FrameEngine } from '../session.ts'
import type { SessionCommand, WorkerLink } from './link.ts'
import type { Log } from './log.ts'
import { ServedSession } from './served-session.ts'
import type { SessionStore } from './session-store.ts'

export interface SessionWorkerOptions {
  store: SessionStore
  link: WorkerLink
  engine: FrameEngine
  log: Log
  workerId: string
  times?: Partial<WorkerTimes>
}

export interface WorkerTimes {
  heartbeatMs: number
  /** Without a renewed lease for this long, the worker gives its sessions up by itself. Less than the lease's TTL. */
  leaseLossMs: number
}

const workerTimes: WorkerTimes = { heartbeatMs: 1000, leaseLossMs: 2000 }

/**
 * Serves the sessions that gateways place on this worker: joins the link, the store and the engine.
 * It closes what it opened in the engine; engine, store and connections belong to whoever made them.
 */
export class SessionWorker {
  readonly #options: SessionWorkerOptions
  readonly #times: WorkerTimes
  readonly #sessions = new Map<string, ServedSession>()
  /** The registered life of this worker, null while it has no lease. */
  #instance: string | null = null
  #lastInstance: string | null = null
  #renewedAtMs = 0
  #draining = false
  #emptied: (() => void)[] = []
  #heartbeatTimer: NodeJS.Timeout | null = null
  #leaseTimer: NodeJS.Timeout | undefined
  #beating: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null
  #storeAway = false

  constructor(options: SessionWorkerOptions) {
    this.#options = options
    this.#times = { ...workerTimes, ...options.times }
  }

  /** Listen, register, and keep the lease from then on. Not registered yet where its id is still taken. */
  async start(): Promise<void> {
    const { link, workerId } = this.#options
    await link.listen(workerId, (sessionId, token, command) => this.#receive(sessionId, token, command))
    await this.#beat()
    this.#beatLater()
    // Apart from the heartbeat, which may be what hangs.
    this.#leaseTimer = setInterval(() => void this.#giveUpIfLate(), this.#times.leaseLossMs / 8)
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** Take no new sessions; resolves when the last one is closed. */
  async drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      this.#options.log.info({ sessions: this.#sessions.size }, 'draining')
      await this.#beatNow()
    }
    if (this.#sessions.size === 0) return
    await new Promise<void>((resolve) => this.#emptied.push(resolve))
  }

  /** In this order: take no new sessions, close those there are, stop listening, stop the heartbeat, leave the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { link, store, workerId } = this.#options
    this.#draining = true
    if (this.#instance !== null) await this.#beatNow()
    await Promise.all(
      [...this.#sessions.values()].map((served) => served.end('DRAINING', 'The worker is shutting down'))
    )
    await link.close()
    if (this.#heartbeatTimer) clearTimeout(this.#heartbeatTimer)
    clearInterval(this.#leaseTimer)
    await this.#beating
    if (this.#instance === null) return
    await store
      .removeWorker(workerId, this.#instance)
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'the lease is left to run out'))
    this.#instance = null
  }

  #receive(sessionId: string, token: number, command: SessionCommand): void {
    const served = this.#sessions.get(sessionId)
    if (served) {
      if (token === served.token) return served.receive(command)
      return this.#options.log.warn(
        { sessionId, token, current: served.token },
        'a message with another token was refused'
      )
    }
    if (command.type === 'open') this.#open(sessionId, token, command)
    else this.#answerForOver(sessionId, token, command)
  }

  #answerForOver(sessionId: string, token: number, command: SessionCommand): void {
    const { link, log } = this.#options
    log.debug({ sessionId, type: command.type }, 'a message for a session that is over')
    if (command.type === 'close') link.emit(sessionId, token, { type: 'closed' })
    link.release(sessionId)
  }

  #open(sessionId: string, token: number, command: Extract<SessionCommand, { type: 'open' }>): void {
    const { engine, link, log, store } = this.#options
    const served = new ServedSession({
      ...{ sessionId, token, engine, link, log, store },
      onOver: () => this.#forget(sessionId, served)
    })
    this.#sessions.set(sessionId, served)
    if (this.#draining) void served.refuse(new LeadlineError('DRAINING', 'The worker is shutting down'))
    else void served.open(command.options)
  }

  #forget(sessionId: string, served: ServedSession): void {
    if (this.#sessions.get(sessionId) === served) this.#sessions.delete(sessionId)
    if (this.#sessions.size > 0) return
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #beatLater(): void {
    if (this.#closed) return
    this.#heartbeatTimer = setTimeout(() => {
      void this.#beatNow().then(() => this.#beatLater())
    }, this.#times.heartbeatMs)
  }

  /** One heartbeat at a time; failures are told once per outage. */
  #beatNow(): Promise<void> {
    this.#beating = this.#beating.then(async () => {
      try {
        await this.#beat()
        if (this.#storeAway) this.#options.log.info({}, 'the store is back')
        this.#storeAway = false
      } catch (error) {
        if (!this.#storeAway) this.#options.log.warn({ err: error }, 'no heartbeat')
        this.#storeAway = true
      }
    })
    return this.#beating
  }

  async #beat(): Promise<void> {
    const { store, workerId } = this.#options
    const instance = this.#instance
    if (instance === null) return this.#register()
    // From before the call: the lease may have been renewed at any moment since.
    const startedAtMs = performance.now()
    const renewal = await store.renewWorker({ id: workerId, instance, draining: this.#draining })
    if (renewal === 'lost') await this.#giveUpSessions('the lease ran out')
    // Given up while the answer was on its way: the row is renewed, but nothing is served under it any more.
    if (this.#instance === null) return this.#register()
    this.#renewedAtMs = startedAtMs
    await Promise.all([...this.#sessions.values()].map((served) => served.touch()))
    await this.#closeOrphans()
  }

  async #register(): Promise<void> {
    const { engine, log, store, workerId } = this.#options
    if (this.#closed) return
    const instance = randomBytes(8).toString('base64url')
    const startedAtMs = performance.now()
    const outcome = await store.registerWorker({
      ...{ id: workerId, instance, draining: this.#draining },
      ...{ offer: engine.offer, replaces: this.#lastInstance }
    })
    if (outcome === 'taken') {
      log.warn(
        { workerId },
        'another live worker has this id; trying again (LEADLINE_WORKER_ID names a worker)'
      )
      return
    }
    this.#instance = instance
    this.#lastInstance = instance
    this.#renewedAtMs = startedAtMs
    log.info({ workerId, models: engine.offer.models.map((offer) => offer.name) }, 'registered')
  }

  async #giveUpIfLate(): Promise<void> {
    if (this.#instance === null || performance.now() - this.#renewedAtMs < this.#times.leaseLossMs) return
    await this.#giveUpSessions('the lease could not be renewed')
  }

  /** The right to serve is gone: free the engine, tell nobody, since whoever owns the sessions now is told by the store. */
  async #giveUpSessions(reason: string): Promise<void> {
    this.#instance = null
    if (this.#sessions.size > 0)
      this.#options.log.warn({ reason, sessions: this.#sessions.size }, 'gave up every session')
    await Promise.all([...this.#sessions.values()].map((served) => served.giveUp(reason)))
  }

  /** Close what no gateway will ever close: served sessions, and reservations whose `open` never came. */
  async #closeOrphans(): Promise<void> {
    const { log, store, workerId } = this.#options
    for (const row of await store.orphans(workerId)) {
      log.warn({ sessionId: row.id, gatewayId: row.gatewayId }, 'closed a session whose gateway is gone')
      const served = this.#sessions.get(row.id)
      if (served) await served.end('WORKER_LOST', 'The gateway of the session stopped renewing its lease')
      else await store.closeSession(row.id, row.token)
    }
  }
}
