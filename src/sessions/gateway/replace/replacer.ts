import { setTimeout as wait } from 'node:timers/promises'
import pLimit from 'p-limit'
import { asLeadlineError } from '../../../errors.ts'
import type { Route } from '../../link.ts'
import type { Log } from '../../log.ts'
import { place, sessionBytes } from '../../placement.ts'
import type { Placed, SessionWish } from '../../placement.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { Roster } from '../roster.ts'
import type { GatewayMeter } from '../../metrics/session-meters.ts'
import type { SessionStore } from '../../session-store.ts'

/** A session whose worker is gone, as far as finding it another needs to know. */
export interface Homeless {
  readonly route: Route
  /** It was closed or left meanwhile. */
  readonly isOver: boolean
  /** Over here, and kept for whoever comes back. */
  readonly isLeft: boolean
  /** Open it there with all that is kept of it. Rejects when that worker could not. */
  goOn(route: Route, timeoutMs: number): Promise<void>
  /** No worker could take it. */
  fail(code: 'WORKER_LOST', detail: string): void
  /** Another has taken it. */
  replaced(): void
}

interface ReplacerOptions {
  store: SessionStore
  roster: Roster
  log: Log
  meter: GatewayMeter
  gatewayId: string
  random: () => number
  /** How long a worker is looked for. */
  patienceMs: number
  /** How long one that was found may take: it may have to load the model first. */
  openMs: number
  /** Whether what the store does not know is over: not while it may have forgotten it. */
  isCertain: () => Promise<boolean>
  /** The session was placed there, and closed or left meanwhile. */
  onUnwanted: (route: Route, isLeft: boolean) => void
}

/** Sessions that go on elsewhere at once: each has megabytes to send, and a device rebuilds one after another anyway. */
const atOnce = 16

/** What the tries for one session have found out so far. */
interface Search {
  session: Homeless
  /** What a worker must have to take it. */
  sought: SessionWish
  /** Workers that could not open it. Once there are no others, they are tried again. */
  failed: Set<string>
  /** A worker that did not open it may hold its row. */
  isPlaced: boolean
  /** Why there is no worker so far. */
  failure: string
  /** When it was looked for first, by `performance.now()`. */
  sinceMs: number
}

/** Finds other workers for the sessions of one that is lost, a few at a time, for as long as the patience lasts. */
export class Replacer {
  readonly #options: ReplacerOptions
  readonly #limit = pLimit(atOnce)

  constructor(options: ReplacerOptions) {
    this.#options = options
  }

  /** Never rejects: the session goes on, or has ended with the reason. */
  async replace(session: Homeless, sought: SessionWish): Promise<void> {
    const { log, patienceMs, random } = this.#options
    const search: Search = {
      ...{ session, sought, failed: new Set<string>(), isPlaced: false },
      ...{ failure: 'no worker had room', sinceMs: performance.now() }
    }
    const giveUpAtMs = search.sinceMs + patienceMs
    for (let tries = 0; !session.isOver && performance.now() < giveUpAtMs; tries++) {
      if (tries > 0) await wait(retryDelayMs(tries, random))
      if (await this.#limit(() => this.#tryOnce(search))) return
      log.debug({ ...session.route, reason: search.failure }, 'a lost session has no worker yet')
    }
    if (!session.isOver) this.#options.meter.replaced('failed')
    session.fail('WORKER_LOST', `Its worker was lost, and then ${search.failure}; open a new session`)
  }

  /** Whether it goes on. */
  async #tryOnce(search: Search): Promise<boolean> {
    if (search.session.isOver) return false
    try {
      const route = await this.#place(search)
      if (route) await this.#openThere(search, route)
      return route !== null
    } catch (error) {
      search.failure = asLeadlineError(error).message
      return false
    }
  }

  /** Reserve memory on a worker that has some; null when there is none now. */
  async #place(search: Search): Promise<Route | null> {
    const { random, roster, store } = this.#options
    const { failed, session, sought } = search
    if (search.isPlaced) await store.loseSession(session.route.sessionId, session.route.token)
    search.isPlaced = false
    const { live } = await roster.read()
    for (const except = new Set(failed); ;) {
      const found = place(live, { ...sought, except }, random)
      if (found.kind !== 'placed') {
        failed.clear()
        search.failure = found.kind === 'noWorker' ? 'nobody served its model' : 'every worker was full'
        return null
      }
      const reserved = await this.#reserve(search, found)
      if (reserved || session.isOver) return reserved
      except.add(found.worker.id)
    }
  }

  /** Null: not there. */
  async #reserve(search: Search, { worker, parks }: Placed): Promise<Route | null> {
    const { gatewayId, roster, store } = this.#options
    const { session, sought } = search
    const { route } = session
    const { id: workerId, instance: workerInstance } = worker
    const bytes = sessionBytes(worker, sought) ?? 0
    const outcome = await store.replaceSession({
      ...{ id: route.sessionId, token: route.token, gatewayId },
      ...{ workerId, workerInstance, bytes: parks ? 0 : bytes }
    })
    switch (outcome.kind) {
      case 'placed':
        roster.reserve(workerId, bytes)
        return { ...route, workerId, token: outcome.token }
      case 'stale':
        return this.#placedBefore(search)
      case 'barred':
        // Its worker has it back, and told it nobody.
        await store.loseSession(route.sessionId, route.token)
        return null
      case 'unknown':
        return this.#missing(search)
      case 'full':
      case 'workerGone':
        return null
    }
  }

  /** Another has taken it, or a try of ours went well without our hearing of it. */
  async #placedBefore(search: Search): Promise<Route | null> {
    const { gatewayId, store } = this.#options
    const { session } = search
    const { sessionId, token } = session.route
    const row = await store.session(sessionId)
    if (!row || row.token < token) return this.#missing(search)
    if (row.gatewayId === gatewayId && row.token === token + 1)
      return { sessionId, workerId: row.workerId, token: row.token }
    session.replaced()
    return null
  }

  /** Somebody has ended it, or the store has forgotten it, and it is about to be written anew. */
  async #missing(search: Search): Promise<null> {
    search.failure = 'Redis had forgotten it'
    if (await this.#options.isCertain()) search.session.fail('WORKER_LOST', 'The session was ended meanwhile')
    return null
  }

  async #openThere(search: Search, route: Route): Promise<void> {
    const { log, meter, onUnwanted, openMs } = this.#options
    const { failed, session, sinceMs } = search
    if (session.isOver) return onUnwanted(route, session.isLeft)
    search.isPlaced = true
    const placedMs = performance.now() - sinceMs
    try {
      await session.goOn(route, openMs)
    } catch (error) {
      failed.add(route.workerId)
      log.warn({ ...route, code: asLeadlineError(error).code }, 'a lost session is opened elsewhere')
      throw error
    }
    meter.replaced('placed')
    log.info({ ...route, placedMs, tookMs: performance.now() - sinceMs }, 'a lost session goes on')
  }
}
