import { randomBytes } from 'node:crypto'
import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { ModelOffer, SessionEvent } from '../../session.ts'
import { GatewayWatch } from './gateway-watch.ts'
import { Heartbeat } from '../heartbeat.ts'
import type { GatewayLink } from '../link.ts'
import { LiveSession } from './live-session.ts'
import type { Log } from '../log.ts'
import { OpenLimit } from './open-limit.ts'
import { reserve } from './reserve.ts'
import type { Reservation } from './reserve.ts'
import { newResumeToken } from './resume-token.ts'
import { Roster } from './roster.ts'
import { heartbeatMs, patienceBeats } from '../session-store.ts'
import type { SessionStore } from '../session-store.ts'
import type { OpenWish, Readiness, ResumedSession, SessionHandle, Sessions } from '../sessions.ts'

export interface SessionGatewayOptions {
  store: SessionStore
  link: GatewayLink
  log: Log
  /** Numbers in [0, 1) for placement. @default Math.random */
  random?: () => number
  times?: Partial<GatewayTimes>
}

export interface GatewayTimes {
  /** A worker may have to load the model first. */
  openTimeoutMs: number
  closeTimeoutMs: number
}

const gatewayTimes: GatewayTimes = { openTimeoutMs: 60_000, closeTimeoutMs: 5000 }
/** What another worker may do better. */
const elsewhere: ReadonlySet<string> = new Set(['WORKER_LOST', 'DRAINING', 'NO_CAPACITY', 'MEMORY_EXHAUSTED'])

/** Opens sessions on workers and follows them to their end. */
export class SessionGateway implements Sessions {
  readonly #options: SessionGatewayOptions
  readonly #times: GatewayTimes
  readonly #id = `g_${randomBytes(8).toString('base64url')}`
  readonly #roster: Roster
  readonly #heartbeat: Heartbeat
  readonly #watch: GatewayWatch
  readonly #opens = new OpenLimit()
  #closed: Promise<void> | null = null

  constructor(options: SessionGatewayOptions) {
    const { link, log, store } = options
    this.#options = options
    this.#times = { ...gatewayTimes, ...options.times }
    this.#roster = new Roster(store)
    this.#watch = new GatewayWatch({ link, log, store, roster: this.#roster })
    this.#heartbeat = new Heartbeat({
      ...{ everyMs: heartbeatMs, patienceBeats, beat: () => store.renewGateway(this.#id) },
      onSilence: () => this.#watch.failAll(this.#away())
    })
  }

  /** Announce this gateway; from then on it watches the workers. */
  async start(): Promise<void> {
    await this.#heartbeat.start()
    this.#watch.start()
  }

  open(wish: OpenWish, onEvent: (event: SessionEvent) => void): Promise<SessionHandle> {
    return this.#opens.run(() => this.#open(wish, onEvent))
  }

  async resume(): Promise<ResumedSession> {
    throw new LeadlineError('SESSION_UNKNOWN', 'There is no session of this name and token; open a new one')
  }

  /** On another worker when one fails before the session is open. */
  async #open(options: OpenWish, onEvent: (event: SessionEvent) => void): Promise<SessionHandle> {
    const resumeToken = newResumeToken()
    const giveUpAtMs = performance.now() + this.#times.openTimeoutMs
    const except = new Set<string>()
    let failure: LeadlineError | null = null
    for (;;) {
      this.#refuseIfAway()
      const { random = Math.random, store } = this.#options
      const wish = { options, except, resumeToken, gatewayId: this.#id, failure }
      const reservation = await reserve(wish, { store, roster: this.#roster, random })
      try {
        return await this.#openOn({ reservation, resumeToken, options, giveUpAtMs }, onEvent)
      } catch (error) {
        failure = asLeadlineError(error)
        if (!elsewhere.has(failure.code) || this.#closed || performance.now() > giveUpAtMs) throw failure
        this.#options.log.warn({ ...reservation.route, code: failure.code }, 'a session is opened elsewhere')
        except.add(reservation.route.workerId)
      }
    }
  }

  async #openOn(
    { reservation, resumeToken, options, giveUpAtMs }: Opening,
    onEvent: (event: SessionEvent) => void
  ): Promise<SessionHandle> {
    const { link, log } = this.#options
    const { route, offer, workerInstance } = reservation
    const live = new LiveSession({
      ...{ link, log, route, onEvent },
      onOver: (settled) => this.#watch.over(route, settled)
    })
    this.#watch.add({ live, workerInstance })
    const timer = setTimeout(() => this.#giveUpOpening(live), giveUpAtMs - performance.now())
    try {
      const opened = await live.open(options)
      return {
        ...{ id: route.sessionId, resumeToken, graceMs: 0, options, opened, offer },
        submit: (frame) => live.submit(frame),
        get hasRoom() {
          return live.hasRoom
        },
        settle: (outcome) => live.settle(outcome),
        // Nothing is kept of a session that cannot be resumed.
        ack: () => {},
        detach: () => live.close(this.#times.closeTimeoutMs),
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
    for (const worker of (await this.#roster.read()).live) {
      for (const offer of worker.offer.models) byName.set(offer.name, offer)
    }
    return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  async readiness(model?: string): Promise<Readiness> {
    try {
      this.#refuseIfAway()
      const { live } = await this.#roster.read()
      if (live.length === 0) return { ready: false, code: 'NO_WORKER', reason: 'No worker is alive' }
      const open = live.filter((worker) => !worker.draining)
      if (open.length === 0) return { ready: false, code: 'DRAINING', reason: 'Every worker is draining' }
      if (model === undefined || open.some(({ offer }) => offer.models.some(({ name }) => name === model)))
        return { ready: true }
      return { ready: false, code: 'NO_WORKER', reason: `No worker serves "${model}"` }
    } catch (error) {
      const { code, message: reason } = asLeadlineError(error)
      return { ready: false, code, reason }
    }
  }

  /** Refuse new sessions, close the live ones, leave the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { link, log, store } = this.#options
    await this.#watch.closeAll(this.#times.closeTimeoutMs)
    await this.#heartbeat.stop()
    await link.close()
    await store
      .removeGateway(this.#id)
      .catch((error: unknown) => log.debug({ err: error }, 'the gateway’s lease is left to run out'))
  }

  #refuseIfAway(): void {
    if (this.#closed) throw new LeadlineError('DRAINING', 'This gateway is shutting down; connect to another')
    if (this.#heartbeat.isSilent) throw this.#away()
  }

  #away(): LeadlineError {
    const { cause } = this.#heartbeat
    const detail = cause instanceof LeadlineError ? cause.message : 'Redis does not answer; try again later'
    return new LeadlineError('STORE_UNAVAILABLE', detail)
  }

  #giveUpOpening(live: LiveSession): void {
    const { workerId } = live.route
    this.#options.log.warn(live.route, 'the worker did not open the session in time')
    live.fail('WORKER_LOST', `Worker ${workerId} did not open the session in ${this.#times.openTimeoutMs} ms`)
  }
}

interface Opening {
  reservation: Reservation
  resumeToken: string
  options: OpenWish
  giveUpAtMs: number
}
