import type { LeadlineError } from '../../errors.ts'
import { Calm } from '../calm.ts'
import type { GatewayLink, Route } from '../link.ts'
import type { LiveSession } from './live-session.ts'
import type { Parting } from './live-session-options.ts'
import { LostRows } from './lost-rows.ts'
import type { Log } from '../log.ts'
import type { Roster } from './roster.ts'
import type { LostSession, SessionRow, SessionStore, Workers } from '../session-store.ts'
import { Steadiness } from './steadiness.ts'
import { Twice } from './twice.ts'

interface WatchOptions {
  link: GatewayLink
  log: Log
  store: SessionStore
  roster: Roster
  gatewayId: string
  /** Renew the gateway's lease; calls `beCalm` where the store did not know of it. */
  renew: () => Promise<void>
}

interface Departure {
  route: Route
  /** unserved: a worker has it, and it is to wait for its client as if that were gone. */
  parting: Extract<Parting, 'left' | 'detached'> | 'unserved'
}

const lookMs = 500
/** A row that runs out between two looks is looked at as much later, so that it is gone by then. */
const lapseMarginMs = 10

/** The live sessions of a gateway. Looks twice a second, and when a lease runs out, whether their workers and rows are still there. */
export class GatewayWatch {
  readonly #options: WatchOptions
  readonly #sessions = new Map<string, LiveSession>()
  /** Over here, while the store does not know: told until it is noted. By session and token. */
  readonly #departures = new Map<string, Departure>()
  readonly #missingWorkers = new Twice()
  readonly #missingRows = new Twice()
  readonly #steadiness = new Steadiness()
  readonly #calm = new Calm()
  readonly #rows: LostRows
  /** The store may have forgotten sessions that nobody has written anew. */
  #mayLack = false
  #timer: NodeJS.Timeout | null = null
  #lapseTimer: NodeJS.Timeout | undefined
  #looking: Promise<void> | null = null

  constructor(options: WatchOptions) {
    this.#options = options
    this.#rows = new LostRows(options)
  }

  get held(): { served: number; lost: number } {
    const lost = [...this.#sessions.values()].filter(({ isLost }) => isLost).length
    return { served: this.#sessions.size - lost, lost }
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), lookMs)
  }

  /** One that was taken over from this very gateway takes the place of the former. */
  add(live: LiveSession): void {
    const { sessionId } = live.route
    this.#sessions.get(sessionId)?.replaced()
    this.#sessions.set(sessionId, live)
  }

  /** It is open, and this is its row, unless a newer one was read. */
  opened(live: LiveSession, row: SessionRow): void {
    if (this.#isHere(live)) this.#rows.presume(row)
  }

  /** A worker has it now, which others may not know. */
  async served(live: LiveSession): Promise<void> {
    await this.#rows.learn(live.route, () => this.#isHere(live))
  }

  /** It was taken, and this is its row. */
  taken(row: SessionRow): void {
    this.#rows.hold(row)
  }

  /** Resolves when the store has noted it, or cannot just now. */
  async over(live: LiveSession, parting: Parting): Promise<void> {
    const { route } = live
    if (this.#isHere(live)) this.#sessions.delete(route.sessionId)
    if (parting === 'detached') this.#rows.leave(route)
    else this.#rows.forget(route)
    if (parting === 'left' || parting === 'detached') await this.depart({ route, parting })
  }

  /** Resolves as `over`. */
  async depart(departure: Departure): Promise<void> {
    this.#departures.set(keyOf(departure.route), departure)
    await this.#note(departure).catch(() => {})
  }

  /** Resolves when nothing is still to be noted of this session, or cannot be just now. */
  async noted(route: Route): Promise<void> {
    const departure = this.#departures.get(keyOf(route))
    if (departure) await this.#note(departure).catch(() => {})
  }

  /** The store was away, or has forgotten something: what is missing in it may come back. */
  beCalm(): void {
    this.#calm.begin()
    this.#mayLack = true
  }

  /** Whether what is missing in the store is lost: not while those who have it may be about to write it anew. */
  async isCertain(): Promise<boolean> {
    if (!this.#isUnsettled) await this.#options.renew()
    return !this.#isUnsettled
  }

  get #isUnsettled(): boolean {
    return this.#calm.isOn || this.#mayLack
  }

  #isHere(live: LiveSession): boolean {
    return this.#sessions.get(live.route.sessionId) === live
  }

  interruptAll({ code, message }: LeadlineError): void {
    for (const live of [...this.#sessions.values()]) live.interrupt(code, message)
  }

  /** Leave the sessions that go on without this gateway, close the others, and look no more. */
  async leaveAll(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((live) => live.leave(timeoutMs)))
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    clearTimeout(this.#lapseTimer)
    await this.#looking
    await Promise.allSettled([...this.#departures.values()].map((departure) => this.#note(departure)))
  }

  /** One at a time; what fails is tried again at the next. */
  #look(): Promise<void> {
    for (const live of this.#sessions.values()) live.tellNotes()
    return this.#lookOnce(() =>
      Promise.all([
        this.#lookAround(),
        ...[...this.#departures.values()].map((departure) => this.#note(departure))
      ])
    )
  }

  #lookOnce(look: () => Promise<unknown>): Promise<void> {
    this.#looking ??= look()
      .then(
        () => {},
        (error: unknown) => this.#options.log.debug({ err: error }, 'the workers could not be looked at')
      )
      .finally(() => (this.#looking = null))
    return this.#looking
  }

  /** What became of a lost worker's sessions stands in their rows, so these are looked at second. */
  async #lookAround(): Promise<void> {
    await this.#lookAtWorkers()
    if (this.#mayLack && this.#calm.isHalfOver) await this.#restore()
    await this.#lookAtRows()
  }

  async #lookAtWorkers(): Promise<void> {
    const { live, lapsed } = await this.#readWorkers()
    const again = this.#missingWorkers.look(lapsed)
    await this.#reapLapsed(this.#steadiness.isSteady ? lapsed : again)
    const wanted = [...this.#sessions.values()].map(({ route }) => route.workerId)
    await this.#options.link.keepOnly(new Set([...live.map(({ id }) => id), ...wanted]))
  }

  async #readWorkers(): Promise<Workers> {
    const workers = await this.#options.roster.read()
    this.#steadiness.answered(performance.now())
    clearTimeout(this.#lapseTimer)
    if (this.#timer && workers.nextLapseMs < lookMs)
      this.#lapseTimer = setTimeout(
        () => void this.#lookOnce(() => this.#lookAtLapse()),
        workers.nextLapseMs + lapseMarginMs
      )
    return workers
  }

  /** Between two looks: what says something only where it is missing at both is left to these. */
  async #lookAtLapse(): Promise<void> {
    const { lapsed } = await this.#readWorkers()
    if (this.#steadiness.isSteady) await this.#reapLapsed(lapsed)
    // Another gateway may have been first.
    for (const { key, live, why } of await this.#readLost())
      if (why === 'lost' && keyOf(live.route) === key) loseWithWorker(live)
  }

  async #reapLapsed(lapsed: readonly string[]): Promise<void> {
    if (lapsed.length > 0 && (await this.isCertain())) await this.#reap(lapsed)
  }

  async #reap(workerIds: readonly string[]): Promise<void> {
    const { link, log, store } = this.#options
    const lost = await store.reapWorkers(workerIds)
    if (lost.workerIds.length > 0) {
      log.warn({ workerIds: lost.workerIds, sessions: lost.sessions.length }, 'workers were lost')
    }
    this.#rows.lost(lost.sessions)
    // Whoever noted it: each gateway may have put something there since.
    await link.forget(workerIds, lost.sessions)
  }

  /** Workers have written theirs anew by now; what is missing still has none. */
  async #restore(): Promise<void> {
    this.#mayLack = false
    try {
      await this.#rows.restore([...this.#sessions.values()].map(({ route }) => route))
    } catch (error) {
      this.#mayLack = true
      throw error
    }
  }

  async #lookAtRows(): Promise<void> {
    const missing = await this.#readLost()
    const again = new Set(this.#missingRows.look(missing.map(({ key }) => key)))
    const isCertain = again.size > 0 && (await this.isCertain())
    for (const { key, live, why } of missing) {
      // One that was taken over or put elsewhere meanwhile was not asked for.
      if (!this.#isHere(live) || keyOf(live.route) !== key) continue
      if (why === 'stale' && again.has(key) && (await this.#follow(live))) continue
      if (why === 'lost') loseWithWorker(live)
      // Of one that is being put elsewhere the token rises before we hear of it.
      else if (again.has(key) && !live.isLost && (isCertain || why === 'stale')) endLost(live, why)
    }
  }

  /** Those of its sessions that are not its own any more, under the token for which that was asked. */
  async #readLost(): Promise<{ key: string; live: LiveSession; why: LostSession['why'] }[]> {
    const asked = new Map([...this.#sessions].map(([id, live]) => [id, { live, key: keyOf(live.route) }]))
    if (asked.size === 0) return []
    const missing = await this.#options.store.lostSessions(
      [...asked.values()].map(({ live: { route } }) => ({ id: route.sessionId, token: route.token }))
    )
    return missing.flatMap(({ id, why }) => {
      const one = asked.get(id)
      return one ? [{ ...one, why }] : []
    })
  }

  /** To where its worker has given it, and could not say so. False: it is another gateway's. */
  async #follow(live: LiveSession): Promise<boolean> {
    const { gatewayId, store } = this.#options
    const { sessionId, token, workerId } = live.route
    const row = await store.session(sessionId)
    const hasMoved = row?.gatewayId === gatewayId && row.token > token && row.workerId !== workerId
    if (hasMoved && live.route.token === token) live.moveTo(row, false)
    return hasMoved
  }

  async #note({ route, parting }: Departure): Promise<void> {
    const { store } = this.#options
    const { sessionId, token } = route
    if (parting === 'unserved') await store.loseSession(sessionId, token)
    const note = parting === 'left' ? store.leaveSession : store.detachSession
    const outcome = await note.call(store, sessionId, token)
    if (outcome !== 'unknown' || !this.#isUnsettled) this.#departures.delete(keyOf(route))
  }
}

function loseWithWorker(live: LiveSession): void {
  live.lose(`Worker ${live.route.workerId} stopped renewing its lease`)
}

function endLost(live: LiveSession, why: LostSession['why']): void {
  if (why === 'stale') return live.replaced()
  if (why === 'detached')
    return live.interrupt('STORE_UNAVAILABLE', 'This gateway was away for too long; resume the session')
  live.fail(
    'WORKER_LOST',
    `Worker ${live.route.workerId} gave the session up, or Redis lost it; open a new session`
  )
}

function keyOf({ sessionId, token }: Route): string {
  return `${sessionId}/${token}`
}
