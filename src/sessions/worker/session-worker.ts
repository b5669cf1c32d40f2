import { randomBytes } from 'node:crypto'
import { LeadlineError } from '../../errors.ts'
import type { Meter } from '../../metering/measures.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import { stopBy } from '../../machine/stop-time.ts'
import { Heartbeat, workerHeartbeatMs } from '../heartbeat.ts'
import type { SessionCommand, WorkerLink, WorkerNote } from '../link.ts'
import type { KeptBytes } from './kept-outcomes.ts'
import type { Log } from '../log.ts'
import { moveIn } from './moving/move-in.ts'
import { Mover } from './moving/mover.ts'
import type { DrainWish } from './moving/mover.ts'
import { notAnyMore, notHere } from './not-served.ts'
import { parkTimes, type ParkTimes } from './parking/park-policy.ts'
import { ParkingLot } from './parking/parking-lot.ts'
import { ServedSession } from './served-session.ts'
import type { WorkerMeter } from '../metrics/session-meters.ts'
import { outageMs, type SessionStore } from '../session-store.ts'
import { WorkerUpkeep } from './worker-upkeep.ts'

export interface SessionWorkerOptions {
  store: SessionStore
  link: WorkerLink
  engine: FrameEngine
  log: Log
  workerId: string
  /** When sessions leave device memory. @default idle ones never, others where one needs room */
  parking?: ParkTimes
  /** How much fuller than another it may be before it gives that one sessions, as a share of its device memory. @default 1 */
  balanceAbove?: number
  meter?: WorkerMeter
  usage?: Meter
}

/** Of depth maps that clients may come back for, together. */
const maxKeptBytes = 512 * 2 ** 20

interface Message {
  sessionId: string
  token: number
  command: SessionCommand
}

/**
 * Serves the sessions that gateways place on this worker: joins the link, the store and the engine.
 * It closes what it opened in the engine; engine, store and connections belong to whoever made them.
 */
export class SessionWorker {
  readonly #options: SessionWorkerOptions
  readonly #sessions = new Map<string, ServedSession>()
  readonly #heartbeat: Heartbeat
  readonly #upkeep: WorkerUpkeep
  readonly #mover: Mover
  readonly #lot: ParkingLot
  readonly #keptBytes: KeptBytes = { maxBytes: maxKeptBytes, bytes: 0 }
  /** The registered life of this worker, null while it has no lease. */
  #instance: string | null = null
  #lastInstance: string | null = null
  #draining = false
  /** Registered again, and not every row is restored. */
  #isReturning = false
  #emptied: (() => void)[] = []
  #closed: Promise<void> | null = null

  constructor(options: SessionWorkerOptions) {
    this.#options = options
    this.#heartbeat = new Heartbeat({
      ...{
        everyMs: workerHeartbeatMs,
        patienceBeats: outageMs / workerHeartbeatMs,
        beat: () => this.#beat()
      },
      onSilence: () => this.#giveUpSessions('the lease could not be renewed'),
      onBack: () => {
        options.log.info({}, 'the store is back')
        this.#upkeep.beCalm()
      }
    })
    this.#upkeep = new WorkerUpkeep(options, this.#sessions)
    this.#mover = new Mover(options, this.#sessions)
    const { engine, log, meter, parking: times = parkTimes(0) } = options
    this.#lot = new ParkingLot({ capacityBytes: engine.offer.capacityBytes, times, log, meter })
  }

  /** Listen, register, and keep the lease from then on. Not registered yet where its id is still taken. */
  async start(): Promise<void> {
    const { link, workerId } = this.#options
    await link.listen(
      workerId,
      (sessionId, token, command) => this.#receive(sessionId, token, command),
      (note) => this.#hear(note)
    )
    await this.#heartbeat.start()
    this.#upkeep.start()
    this.#lot.start()
    this.#mover.start(this.#options.balanceAbove ?? 1)
  }

  /** What keeps gateways from giving it sessions, how many it has, and how many it gave to other workers so far. */
  get standing() {
    const isHeld = this.#instance !== null && !this.#heartbeat.isSilent
    const lacks = [
      ...(isHeld ? [] : (['lease'] as const)),
      ...(this.#draining ? (['draining'] as const) : [])
    ]
    const states = [...this.#sessions.keys()].map((id) => this.#lot.stateOf(id))
    return { lacks, sessions: states.length, states, movedSessions: this.#mover.moved.sessions }
  }

  /** Take no new sessions, and move those there are to other workers; resolves when the last one has gone, or will not go. */
  async drain(wish?: DrainWish): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      this.#options.log.info({ sessions: this.#sessions.size }, 'draining')
      await this.#heartbeat.now()
    }
    const tried = this.#mover.empty(wish).then(() => this.#heartbeat.now())
    if (this.#sessions.size === 0) return
    await Promise.race([tried, new Promise<void>((resolve) => this.#emptied.push(resolve))])
  }

  /**
   * In this order: take no new sessions, close or give up those there are, stop listening, stop the heartbeat, leave the store. What is
   * to be said is tried until `untilMs`.
   */
  close(untilMs = stopBy()): Promise<void> {
    this.#closed ??= this.#close(untilMs)
    return this.#closed
  }

  async #close(untilMs: number): Promise<void> {
    const { link, store, workerId } = this.#options
    this.#draining = true
    this.#mover.stop()
    if (this.#instance !== null) await this.#heartbeat.now()
    const reason = 'The worker is shutting down'
    // One that can be resumed is lost with the worker's row, and goes on with another.
    const leave = (served: ServedSession) =>
      served.isResumable ? served.giveUp(reason) : served.end('DRAINING', reason)
    await Promise.all([...this.#sessions.values()].map(leave))
    await link.close(untilMs)
    this.#upkeep.stop()
    this.#lot.stop()
    await this.#heartbeat.stop()
    if (this.#instance === null) return
    await store
      .removeWorker(workerId, this.#instance)
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'the lease is left to run out'))
    this.#instance = null
  }

  #hear(note: WorkerNote): void {
    switch (note.type) {
      case 'moveIn':
        return this.#moveIn(note)
      case 'movedIn':
        return this.#mover.answered(note)
      case 'drain':
        return void this.drain()
      case 'rebalance':
        return void this.#mover.balance(0)
    }
  }

  #moveIn(note: Extract<WorkerNote, { type: 'moveIn' }>): void {
    const { sessionId, token } = note.moving
    const known = this.#sessions.get(sessionId)
    // Sent again because no answer came to the sending of it.
    if (known?.token === token + 1) return
    const isWelcome = !known && !this.#draining && this.#instance !== null
    void moveIn(note, isWelcome ? this.#serve(sessionId, token + 1) : null, this.#options)
  }

  #receive(sessionId: string, token: number, command: SessionCommand): void {
    const served = this.#sessions.get(sessionId)
    if (served?.postpone(() => this.#receive(sessionId, token, command))) return
    if (served?.token === token) return served.receive(command)
    if (served) return this.#receiveAs(served, { sessionId, token, command })
    if (command.type === 'open') this.#open(sessionId, token, command)
    else void this.#answerForOver(sessionId, token, command)
  }

  /** A message under another token than the session's. */
  #receiveAs(served: ServedSession, { sessionId, token, command }: Message): void {
    const { link, log } = this.#options
    if (token < served.token) {
      log.debug({ sessionId, token, current: served.token }, 'a message of a former owner was left out')
      // Of two that took the session at once, the later one has it, in whichever order they are heard.
      if (command.type === 'adopt' || command.type === 'join') link.emit(sessionId, token, { type: 'taken' })
      return
    }
    // It was put here anew, and what is served of it is of a time before.
    if (command.type === 'open') return served.giveWay(() => this.#receive(sessionId, token, command))
    if (command.type === 'adopt' && !served.ending && served.adopt(token, command.afterSeq))
      return this.#upkeep.know(command.row)
    void served
      .end('SESSION_UNKNOWN', notHere.detail, token)
      .then(() => this.#answerForOver(sessionId, token, command))
  }

  /**
   * Whoever sends this believes that the session is served here: its row must say otherwise, so that the gateway sees it. Unless
   * its client is done with it, it waits for another worker.
   */
  async #answerForOver(sessionId: string, token: number, command: SessionCommand): Promise<void> {
    const { link, log, store } = this.#options
    log.debug({ sessionId, type: command.type }, 'a message for a session that is not served here')
    const isAdopt = command.type === 'adopt'
    const outcome = await (
      command.type === 'close' ? store.closeSession(sessionId, token) : store.loseSession(sessionId, token)
    ).catch((error: unknown) => log.debug({ err: error, sessionId }, 'the row is left to the upkeep'))
    // Its open may have come meanwhile.
    if (this.#sessions.has(sessionId)) return
    if (command.type === 'close') link.emit(sessionId, token, { type: 'closed' })
    if (isAdopt) link.emit(sessionId, token, outcome === 'changed' ? notAnyMore : notHere)
    link.release(sessionId)
  }

  #open(sessionId: string, token: number, command: Extract<SessionCommand, { type: 'open' }>): void {
    const served = this.#serve(sessionId, token)
    const draining = new LeadlineError('DRAINING', 'The worker is shutting down')
    if (this.#draining) void served.refuse(draining, command.past)
    else void served.open(command).then(() => this.#upkeep.opened(sessionId))
  }

  #serve(sessionId: string, token: number): ServedSession {
    const served: ServedSession = new ServedSession({
      ...{ ...this.#options, sessionId, token, keptBytes: this.#keptBytes, lot: this.#lot },
      onOver: () => this.#forget(sessionId, served)
    })
    this.#sessions.set(sessionId, served)
    return served
  }

  #forget(sessionId: string, served: ServedSession): void {
    if (this.#sessions.get(sessionId) === served) this.#sessions.delete(sessionId)
    if (this.#sessions.size > 0) return
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  async #beat(): Promise<void> {
    const { store } = this.#options
    const instance = this.#instance
    if (instance === null) return this.#register()
    // What is not restored yet has a right to its bytes.
    const draining = this.#draining || this.#isReturning
    const { parkableBytes } = this.#lot
    const renewal = await store.renewWorker({ ...this.#row, instance, draining, parkableBytes })
    if (this.#instance !== instance) return
    if (renewal === 'lost' && !(await this.#return(instance)))
      return this.#giveUpSessions('the lease ran out')
    if (!this.#isReturning) return
    await this.#upkeep.restoreAll()
    this.#isReturning = false
  }

  /** Of its row, what does not depend on why it is written. */
  get #row() {
    const { engine, workerId: id } = this.#options
    return { id, offer: engine.offer, pace: engine.pace, moved: this.#mover.moved, parkableBytes: 0 }
  }

  /** The store has forgotten this worker, or was told that it is gone: register it again, with all it has. */
  async #return(instance: string): Promise<boolean> {
    const { log, store, workerId } = this.#options
    this.#isReturning = true
    const row = { ...this.#row, instance, draining: true, replaces: null }
    if ((await store.registerWorker(row)) === 'taken') return false
    log.warn({ workerId, sessions: this.#sessions.size }, 'registered again')
    return true
  }

  async #register(): Promise<void> {
    const { engine, log, store, workerId } = this.#options
    // The new row counts from zero, so what the last one counted must be free.
    if (this.#closed || this.#sessions.size > 0) return
    const instance = randomBytes(8).toString('base64url')
    const lease = { instance, draining: this.#draining, replaces: this.#lastInstance }
    const outcome = await store.registerWorker({ ...this.#row, ...lease })
    if (outcome === 'taken') {
      log.warn(
        { workerId },
        'another live worker has this id; trying again (LEADLINE_WORKER_ID names a worker)'
      )
      return
    }
    this.#instance = instance
    this.#lastInstance = instance
    log.info({ workerId, models: engine.offer.models.map((offer) => offer.name) }, 'registered')
  }

  /** The right to serve is gone: free the engine, tell nobody, since whoever owns the sessions now is told by the store. */
  #giveUpSessions(reason: string): void {
    this.#instance = null
    this.#isReturning = false
    if (this.#sessions.size > 0)
      this.#options.log.warn({ reason, sessions: this.#sessions.size }, 'gave up every session')
    for (const served of [...this.#sessions.values()]) void served.giveUp(reason)
  }
}
