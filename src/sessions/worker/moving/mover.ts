import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../../../machine/stop-time.ts'
import type { WorkerLink, WorkerNote } from '../../link.ts'
import type { Log } from '../../log.ts'
import { place, sessionBytes } from '../../placement.ts'
import type { ServedSession } from '../served-session.ts'
import { noneMoved } from '../../session-store.ts'
import type { MovedSessions, SessionStore, WorkerRow } from '../../session-store.ts'
import { fairTarget } from './balance.ts'
import { HandOver } from './hand-over.ts'
import type { MoveTimes } from './hand-over.ts'
import { nextToMove } from './next-to-move.ts'
import type { Movable } from './next-to-move.ts'

interface MoverOptions {
  store: SessionStore
  link: WorkerLink
  log: Log
  workerId: string
}

/** Sessions that are handed over at once: each stands still for as long as the others share Redis, and both workers, with it. */
const atOnce = 2
/** One that takes longer, since the other worker is slow or does not answer, holds nobody up: at least eight begin each second. */
const turnMs = 250
/** How long to wait before those that found no place are tried again. */
const retryMs = 250
/** A load that lasts is worth a move, a wave of short sessions is not. */
const balanceEveryMs = 5000

export interface DrainWish {
  /** Whether to wait for a worker that takes the sessions, where none does. Who said once that it is not, will not. @default true */
  isPatient?: boolean
}

type MoveOutcome = 'moved' | 'stays' | 'noWorker'

/** Moves sessions of this worker to others, a few at a time. */
export class Mover {
  readonly #options: MoverOptions
  readonly #sessions: ReadonlyMap<string, ServedSession>
  readonly #handOver: HandOver
  #emptying: Promise<void> | null = null
  /** Whether sessions that no worker takes are kept until one does. */
  #isPatient = true
  #isBalancing = false
  /** Of the balancing that goes on; 1: none. */
  #threshold = 1
  #isStopped = false
  #timer: NodeJS.Timeout | null = null
  #moved: MovedSessions = noneMoved

  constructor(options: MoverOptions, sessions: ReadonlyMap<string, ServedSession>) {
    this.#options = options
    this.#sessions = sessions
    this.#handOver = new HandOver(options)
  }

  /** What it has moved so far. */
  get moved(): MovedSessions {
    return this.#moved
  }

  answered(note: Extract<WorkerNote, { type: 'movedIn' }>): void {
    this.#handOver.answered(note)
  }

  /** Move every session to wherever there is room, for as long as there are any that may go. Twice does no harm. */
  empty({ isPatient = true }: DrainWish = {}): Promise<void> {
    this.#isPatient &&= isPatient
    this.#emptying ??= this.#empty().finally(() => (this.#emptying = null))
    return this.#emptying
  }

  async #empty(): Promise<void> {
    const { log } = this.#options
    let isLonely = false
    let isTold = false
    while (!this.#isStopped && this.#sessions.size > 0 && (this.#isPatient || !isLonely)) {
      const tried = await this.#moveAll()
      isLonely = tried.length > 0 && tried.every((outcome) => outcome === 'noWorker')
      if (isLonely && !isTold)
        log.warn(
          { sessions: tried.length },
          'no other worker takes these sessions; they go on here until there is one, or this one stops'
        )
      isTold ||= isLonely
      await wait(retryMs)
    }
    if (this.#moved.sessions > 0) log.info(this.#moved, 'sessions moved')
  }

  /** Where workers are emptier by more than `threshold`, give them sessions, one after the other. The lowest one asked for holds. */
  async balance(threshold: number): Promise<void> {
    this.#threshold = Math.min(this.#threshold, threshold)
    if (this.#isBalancing) return
    this.#isBalancing = true
    try {
      let isUneven = true
      while (isUneven && !this.#isStopped && this.#emptying === null) {
        const sought = this.#threshold
        isUneven = (await this.#shed(sought)) || this.#threshold < sought
      }
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the load could not be evened out')
    } finally {
      this.#isBalancing = false
      this.#threshold = 1
    }
  }

  /** Look now and then whether another worker is emptier by more than `threshold`; 1: never. */
  start(threshold: number): void {
    if (threshold < 1) this.#timer = setInterval(() => void this.balance(threshold), balanceEveryMs)
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer) clearInterval(this.#timer)
  }

  /** Whether a session went. */
  async #shed(threshold: number): Promise<boolean> {
    const { store, workerId } = this.#options
    const { live } = await store.workers()
    for (const served of this.#sessions.values()) {
      const { isPossible, sought, deviceBytes: bytes } = served.departure
      if (!isPossible || !sought || bytes === 0) continue
      const able = live.filter((worker) => worker.id === workerId || sessionBytes(worker, sought) !== null)
      const target = fairTarget(able, workerId, { bytes, threshold })
      if (target && (await this.#give(served, target, sessionBytes(target, sought) ?? bytes))) return true
    }
    return false
  }

  /** Each session that can move, once. */
  async #moveAll(): Promise<MoveOutcome[]> {
    const tried = new Map<ServedSession, Promise<MoveOutcome>>()
    const next = (): ServedSession | null => {
      const waiting = [...this.#sessions.values()].filter((served) => !tried.has(served))
      return nextToMove(waiting.flatMap(candidateOf))?.served ?? null
    }
    const inTurn = async (): Promise<void> => {
      for (let served = next(); served && !this.#isStopped; served = next()) {
        const moving = this.#move(served)
        tried.set(served, moving)
        await until(performance.now() + turnMs, moving)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, inTurn))
    return Promise.all(tried.values())
  }

  async #move(served: ServedSession): Promise<MoveOutcome> {
    const { log, store, workerId } = this.#options
    const { sessionId } = served
    const { sought } = served.departure
    const except = new Set([workerId])
    try {
      while (served.departure.isPossible && sought && !this.#isStopped) {
        const found = place((await store.workers()).live, { ...sought, except }, Math.random)
        if (found.kind !== 'placed') return found.kind === 'noWorker' ? 'noWorker' : 'stays'
        const { worker, parks } = found
        if (await this.#give(served, worker, parks ? 0 : (sessionBytes(worker, sought) ?? 0))) return 'moved'
        except.add(worker.id)
      }
    } catch (error) {
      log.debug({ err: error, sessionId }, 'a session could not be moved')
    }
    return 'stays'
  }

  /** False: it stays. */
  async #give(served: ServedSession, worker: WorkerRow, bytes: number): Promise<boolean> {
    const { id: to, instance: workerInstance } = worker
    const times = await this.#handOver.give(served, { workerId: to, workerInstance, bytes })
    if (times === null) return false
    this.#note(times.haltedMs + times.answeredMs)
    const { sessionId } = served
    this.#options.log.info({ sessionId, to, ...rounded(times) }, 'a session moved')
    return true
  }

  #note(stoodMs: number): void {
    const { sessions, longestStallMs } = this.#moved
    this.#moved = {
      sessions: sessions + 1,
      longestStallMs: Math.max(longestStallMs, Math.round(stoodMs))
    }
  }
}

function candidateOf(served: ServedSession): { served: ServedSession; movable: Movable }[] {
  const { movable } = served.departure
  return movable ? [{ served, movable }] : []
}

function rounded(times: MoveTimes): Record<string, number> {
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, Math.round(ms)]))
}
