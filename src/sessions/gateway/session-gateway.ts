import { randomBytes } from 'node:crypto'
import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { Account } from '../../metering/measures.ts'
import type { SessionEvent } from '../../session.ts'
import { GatewayWatch } from './gateway-watch.ts'
import { Heartbeat, heartbeatMs, patienceBeats, patienceMs } from '../heartbeat.ts'
import type { GatewayLink, Route } from '../link.ts'
import { openCommand } from './leg.ts'
import { openedRow } from './opened-row.ts'
import { LiveSession } from './live-session.ts'
import type { Log } from '../log.ts'
import { OpenLimit } from './open-limit.ts'
import type { Provisions } from './past/lifeline.ts'
import { RingBudget } from './past/ring-budget.ts'
import { LeftPasts } from './past/left-pasts.ts'
import { Replacer } from './replace/replacer.ts'
import { Resumer } from './resumer.ts'
import { drainWorker, listWorkers, readinessOf, readRebalancePlan, rebalanceWorkers } from './worker-list.ts'
import { reserve, type Reserved } from './reserve.ts'
import { newResumeToken } from './resume-token.ts'
import { Roster } from './roster.ts'
import { handleOf, type HandleFacts } from './session-handle.ts'
import { outageMs, type ListWish, type SessionStore } from '../session-store.ts'
import type { GatewayMeter } from '../metrics/session-meters.ts'
import { endSession, listSessions } from './session-list.ts'
import type {
  OpenWish,
  Readiness,
  ResumedSession,
  ResumeWish,
  SessionHandle,
  SessionList,
  Sessions
} from '../sessions.ts'

export interface SessionGatewayOptions {
  store: SessionStore
  link: GatewayLink
  log: Log
  /** Numbers in [0, 1) for placement. @default Math.random */
  random?: () => number
  times?: Partial<GatewayTimes>
  /** How long a session may be without a gateway before its worker closes it. 0: none can be resumed. @default 0 */
  graceMs?: number
  /** Of frames that are kept for the death of a worker. @default 0 */
  ringBytes?: number
  meter?: GatewayMeter
}

export interface GatewayTimes {
  /** A worker may have to load the model first. */
  openTimeoutMs: number
  resumeTimeoutMs: number
  closeTimeoutMs: number
  /** How long another worker is looked for when one is lost: as long as it may take to start a new one. */
  replaceTimeoutMs: number
}

const unmetered: GatewayMeter = { stalled: () => {}, replaced: () => {} }
const gatewayTimes: GatewayTimes = {
  ...{ openTimeoutMs: 60_000, resumeTimeoutMs: 10_000, closeTimeoutMs: 5000 },
  replaceTimeoutMs: 30_000
}
/** Of outcomes that clients have not acknowledged, together. */
const maxToldBytes = 256 * 2 ** 20
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
  readonly #resumes = new OpenLimit()
  /** The store was told of this gateway. */
  #isKnown = false
  #outage: NodeJS.Timeout | undefined
  readonly #provisions: Provisions
  readonly #replacer: Replacer
  readonly #resumer: Resumer
  readonly #left = new LeftPasts()
  #closed: Promise<void> | null = null

  constructor(options: SessionGatewayOptions) {
    const { link, log, ringBytes = 0, meter = unmetered, store } = options
    this.#options = options
    this.#times = { ...gatewayTimes, ...options.times }
    this.#roster = new Roster(store)
    const shared = { log, store, roster: this.#roster, gatewayId: this.#id }
    this.#watch = new GatewayWatch({ ...shared, link, renew: () => this.#renew() })
    const isCertain = (): Promise<boolean> => this.#watch.isCertain()
    this.#provisions = {
      ...{ ring: new RingBudget(ringBytes), meter },
      told: { maxBytes: maxToldBytes, bytes: 0 }
    }
    this.#replacer = new Replacer({
      ...{ ...shared, random: options.random ?? Math.random, meter, isCertain },
      ...{ patienceMs: this.#times.replaceTimeoutMs, openMs: this.#times.openTimeoutMs },
      onUnwanted: (route, isLeft) => void this.#watch.depart({ route, parting: isLeft ? 'unserved' : 'left' })
    })
    this.#resumer = new Resumer({
      ...{ store, gatewayId: this.#id, left: this.#left, provisions: this.#provisions, isCertain },
      follow: (held, onEvent) => this.#follow(held, onEvent),
      taken: (row) => this.#watch.taken(row),
      adopt: (live, taken) =>
        this.#begin(live, { type: 'adopt', ...taken }, performance.now() + this.#times.resumeTimeoutMs),
      handle: (live, facts) => this.#handle(live, facts),
      replace: (live, sought) => void this.#replacer.replace(live, sought)
    })
    this.#heartbeat = new Heartbeat({
      ...{ everyMs: heartbeatMs, patienceBeats, beat: () => this.#renew() },
      onSilence: () => {
        log.warn({ reason: this.#away().message }, 'the store is away; sessions are kept, new ones refused')
        this.#outage = setTimeout(() => this.#watch.interruptAll(this.#away()), outageMs - patienceMs)
      },
      onBack: () => {
        clearTimeout(this.#outage)
        this.#watch.beCalm()
      }
    })
  }

  async #renew(): Promise<void> {
    const renewal = await this.#options.store.renewGateway(this.#id)
    if (renewal === 'anew' && this.#isKnown) this.#watch.beCalm()
    this.#isKnown = true
  }

  /** Announce this gateway; from then on it watches the workers. */
  async start(): Promise<void> {
    await this.#heartbeat.start()
    this.#watch.start()
  }

  open(wish: OpenWish, onEvent: (event: SessionEvent) => void): Promise<SessionHandle> {
    return this.#opens.run(() => this.#open(wish, onEvent))
  }

  resume(wish: ResumeWish, onEvent: (event: SessionEvent) => void): Promise<ResumedSession> {
    return this.#resumes.run(() => {
      this.#refuseIfAway()
      return this.#resumer.resume(wish, onEvent)
    })
  }

  /** On another worker when one fails before the session is open. */
  async #open(
    { resumable = false, owner = null, isClip = false, address, from, ...options }: OpenWish,
    onEvent: (event: SessionEvent) => void
  ): Promise<SessionHandle> {
    const { graceMs = 0, random = Math.random, store } = this.#options
    const account = { owner, isClip, ...(address !== undefined && { address }) }
    const resumeToken = newResumeToken()
    const giveUpAtMs = performance.now() + this.#times.openTimeoutMs
    const except = new Set<string>()
    let failure: LeadlineError | null = null
    for (;;) {
      this.#refuseIfAway()
      const wish = { options, owner, except, resumeToken, gatewayId: this.#id, failure }
      const reservation = await reserve(
        { ...wish, graceMs: resumable ? graceMs : 0, from: from?.origin ?? null },
        { store, roster: this.#roster, random }
      )
      try {
        return await this.#openOn({ reservation, resumeToken, options, account, from, giveUpAtMs }, onEvent)
      } catch (error) {
        failure = asLeadlineError(error)
        if (!elsewhere.has(failure.code) || this.#closed || performance.now() > giveUpAtMs) throw failure
        this.#options.log.warn({ ...reservation.route, code: failure.code }, 'a session is opened elsewhere')
        except.add(reservation.route.workerId)
      }
    }
  }

  async #openOn(reserved: Reserved, onEvent: (event: SessionEvent) => void): Promise<SessionHandle> {
    const { reservation, resumeToken, options, account, from, giveUpAtMs } = reserved
    const { offer, graceMs } = reservation
    const live = this.#follow({ ...reservation, account }, onEvent)
    const open = openCommand({ options, account, resumable: graceMs > 0 }, from)
    const answer = await this.#begin(live, open, giveUpAtMs)
    this.#watch.opened(live, openedRow(reserved, { gatewayId: this.#id, opened: answer.opened }))
    return this.#handle(live, { resumeToken, graceMs, options, opened: answer.opened, offer })
  }

  #follow(
    { route, graceMs, account }: { route: Route; graceMs: number; account: Account },
    onEvent: (event: SessionEvent) => void
  ): LiveSession {
    const { link, log } = this.#options
    const live: LiveSession = new LiveSession({
      ...{ link, log, route, account, onEvent, isResumable: graceMs > 0, provisions: this.#provisions },
      onConfirmed: () => this.#confirm(live.route),
      onServed: () => void this.#watch.served(live),
      onLost: (sought) => void this.#replacer.replace(live, sought),
      onOver: (parting, past) => {
        if (past && graceMs > 0 && (parting === 'detached' || parting === 'replaced'))
          this.#left.keep(live.route, past, graceMs)
        else past?.forget()
        void this.#watch.over(live, parting)
      }
    })
    this.#watch.add(live)
    return live
  }

  /** Of a session that was never taken there is no secret before. */
  #confirm({ sessionId, token }: Route): void {
    const counts = (err: unknown): void =>
      this.#options.log.debug({ err, sessionId }, 'the resume token before counts on')
    if (token > 1) this.#options.store.confirmSession(sessionId, token).catch(counts)
  }

  async #begin(
    live: LiveSession,
    command: Parameters<LiveSession['begin']>[0],
    giveUpAtMs: number
  ): ReturnType<LiveSession['begin']> {
    const timer = setTimeout(() => this.#giveUpBeginning(live), giveUpAtMs - performance.now())
    try {
      return await live.begin(command)
    } finally {
      clearTimeout(timer)
    }
  }

  #handle(live: LiveSession, facts: Omit<HandleFacts, 'closeTimeoutMs' | 'noted'>): SessionHandle {
    const { closeTimeoutMs } = this.#times
    return handleOf(live, { ...facts, closeTimeoutMs, noted: () => this.#watch.noted(live.route) })
  }

  list(wish: ListWish): Promise<SessionList> {
    return listSessions(this.#options.store, wish)
  }

  /** Sessions that it holds. */
  get held() {
    return this.#watch.held
  }

  end = (id: string, owner: string | null) => endSession(this.#options.store, id, owner)
  workers = () => listWorkers(this.#roster)
  drainWorker = (id: string) => drainWorker(id, this.#roster, this.#options.link)
  rebalance = () => rebalanceWorkers(this.#roster, this.#options.link)
  rebalancePlan = () => readRebalancePlan(this.#roster, this.#options.store)
  models = () => this.#roster.models()

  async readiness(model?: string): Promise<Readiness> {
    try {
      this.#refuseIfAway()
      return readinessOf((await this.#roster.read()).live, model)
    } catch (error) {
      const { code, message: reason } = asLeadlineError(error)
      return { ready: false, code, reason, missing: [code === 'DRAINING' ? 'draining' : 'redis'] }
    }
  }

  /** Refuse new sessions, leave those that others may resume, close the other ones, leave the store. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { link, log, store } = this.#options
    await this.#watch.leaveAll(this.#times.closeTimeoutMs)
    await this.#heartbeat.stop()
    clearTimeout(this.#outage)
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

  #giveUpBeginning(live: LiveSession): void {
    this.#options.log.warn(live.route, 'the worker did not answer for the session in time')
    live.interrupt('WORKER_LOST', `Worker ${live.route.workerId} did not answer for the session in time`)
  }
}
