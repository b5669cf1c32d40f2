import { setTimeout as wait } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { WorkerLink, WorkerNote } from '../../link.ts'
import type { Log } from '../../log.ts'
import { place, sessionBytes } from '../../placement.ts'
import type { ServedSession } from '../served-session.ts'
import { noneMoved } from '../../session-store.ts'
import type { MovedSessions, SessionStore } from '../../session-store.ts'
import { HandOver } from './hand-over.ts'

interface MoverOptions {
  store: SessionStore
  link: WorkerLink
  log: Log
  workerId: string
}

/** Sessions that are handed over at once: each stands still meanwhile, and has megabytes to send. */
const atOnce = 4
/** How long to wait before those that found no place are tried again. */
const retryMs = 250

/** Moves sessions of this worker to others, a few at a time. */
export class Mover {
  readonly #options: MoverOptions
  readonly #sessions: ReadonlyMap<string, ServedSession>
  readonly #handOver: HandOver
  readonly #limit = pLimit(atOnce)
  #isEmptying = false
  #isStopped = false
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

  /** Move every session to wherever there is room, for as long as there are any. Twice does no harm. */
  async empty(): Promise<void> {
    if (this.#isEmptying) return
    this.#isEmptying = true
    let isLonely = false
    while (!this.#isStopped && this.#sessions.size > 0) {
      const movable = [...this.#sessions.values()].filter(({ departure }) => departure.isPossible)
      const tried = await Promise.all(movable.map((served) => this.#limit(() => this.#move(served))))
      if (tried.length > 0 && tried.every((outcome) => outcome === 'noWorker') && !isLonely) {
        isLonely = true
        this.#options.log.warn(
          { sessions: tried.length },
          'no other worker takes these sessions; they go on here until there is one, or this one stops'
        )
      }
      await wait(retryMs)
    }
    const { log } = this.#options
    if (this.#moved.sessions > 0) log.info(this.#moved, 'sessions moved')
    this.#isEmptying = false
  }

  stop(): void {
    this.#isStopped = true
  }

  async #move(served: ServedSession): Promise<'moved' | 'stays' | 'noWorker'> {
    const { log, store, workerId } = this.#options
    const { sessionId } = served
    const { sought } = served.departure
    const except = new Set([workerId])
    try {
      while (served.departure.isPossible && sought && !this.#isStopped) {
        const found = place((await store.workers()).live, { ...sought, except }, Math.random)
        if (found.kind !== 'placed') return found.kind === 'noWorker' ? 'noWorker' : 'stays'
        const { worker, parks } = found
        const bytes = parks ? 0 : (sessionBytes(worker, sought) ?? 0)
        const berth = { workerId: worker.id, workerInstance: worker.instance, bytes }
        const stoodMs = await this.#handOver.give(served, berth)
        if (stoodMs !== null) {
          this.#note(stoodMs)
          log.info({ sessionId, to: worker.id, stoodMs: Math.round(stoodMs) }, 'a session moved')
          return 'moved'
        }
        except.add(worker.id)
      }
    } catch (error) {
      log.debug({ err: error, sessionId }, 'a session could not be moved')
    }
    return 'stays'
  }

  #note(stoodMs: number): void {
    const { sessions, longestStallMs } = this.#moved
    this.#moved = {
      sessions: sessions + 1,
      longestStallMs: Math.max(longestStallMs, Math.round(stoodMs))
    }
  }
}
