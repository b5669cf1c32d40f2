import { setTimeout as wait } from 'node:timers/promises'
import { Deferred } from '../../../deferred.ts'
import type { MovingSession, WorkerLink, WorkerNote } from '../../link.ts'
import type { Log } from '../../log.ts'
import type { ServedSession } from '../served-session.ts'
import type { MoveWish, SessionStore } from '../../session-store.ts'

interface HandOverOptions {
  store: SessionStore
  link: WorkerLink
  log: Log
  workerId: string
}

/** What a move took, in milliseconds. */
export interface MoveTimes {
  /** Until memory was reserved over there; the session goes on meanwhile. */
  reservedMs: number
  /** It stands still from here on: until its frame was stepped, and its latent cache was in the memory of the host. */
  haltedMs: number
  /** Until the other worker said that it has it. */
  answeredMs: number
}

/** Where a session may go, and what it reserves there. */
export type Berth = Pick<MoveWish, 'workerId' | 'workerInstance' | 'bytes'>

/** How long the other worker may take to open a session, which stands still meanwhile. */
const patienceMs = 10_000
/** How often the row is asked what became of a move of which nothing is heard. */
const lookMs = 500

/**
 * Gives sessions to other workers. A session stands still between two frames while it is handed over; the row says whose it
 * is: the other worker commits the move, or this one calls it off, and whoever comes second finds it done.
 */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #answers = new Map<string, Deferred<boolean>>()

  constructor(options: HandOverOptions) {
    this.#options = options
  }

  /** Null: it stays. */
  async give(served: ServedSession, berth: Berth): Promise<MoveTimes | null> {
    const { store } = this.#options
    const { sessionId, token } = served
    const startMs = performance.now()
    if ((await store.beginMove({ id: sessionId, token, ...berth })) !== 'changed') return null
    const stillSinceMs = performance.now()
    const moving = await served.departure.pack()
    const packedMs = performance.now()
    const isThere =
      moving !== null && moving.token === token && (await this.#send(moving, served, berth.workerId))
    if (!isThere) {
      if (moving === null) await this.#callOff(sessionId, token)
      served.departure.stay()
      return null
    }
    const answeredMs = performance.now() - packedMs
    await served.departure.moveOn({ workerId: berth.workerId, token: token + 1 })
    return { reservedMs: stillSinceMs - startMs, haltedMs: packedMs - stillSinceMs, answeredMs }
  }

  /** The other worker's answer. */
  answered({ sessionId, token, isHere }: Extract<WorkerNote, { type: 'movedIn' }>): void {
    this.#answers.get(keyOf(sessionId, token))?.resolve(isHere)
  }

  /** Whether the session is there. Until that is certain it goes on nowhere. */
  async #send(moving: MovingSession, served: ServedSession, workerId: string): Promise<boolean> {
    const { link, log, workerId: from } = this.#options
    const { sessionId, token } = moving
    const answer = new Deferred<boolean>()
    this.#answers.set(keyOf(sessionId, token), answer)
    try {
      const sent = link.tell(workerId, { type: 'moveIn', from, moving })
      sent.catch((error: unknown) => {
        log.debug({ err: error, sessionId }, 'a session could not be handed over')
        answer.resolve(false)
      })
      return await this.#settled(moving, { served, answer: answer.promise })
    } finally {
      this.#answers.delete(keyOf(sessionId, token))
    }
  }

  async #settled(
    { sessionId, token }: MovingSession,
    { served, answer }: { served: ServedSession; answer: Promise<boolean> }
  ): Promise<boolean> {
    const { log, store, workerId: ownId } = this.#options
    const giveUpAtMs = performance.now() + patienceMs
    for (let looks = 0; served.ending === null; looks++) {
      const said = await Promise.race([answer, wait(lookMs, null)])
      if (said === true) return true
      // It has said so, and the store could not be asked yet.
      if (said === false && looks > 0) await wait(lookMs)
      try {
        if (said === false || performance.now() > giveUpAtMs) await store.abortMove(sessionId, token)
        const row = await store.session(sessionId)
        if (!row) void served.giveUp('its row is gone')
        // Under a higher token another gateway has taken it here, or it is where it was to go, or further.
        else if (row.token > token) return row.workerId !== ownId
        else if (row.move === null) return false
      } catch (error) {
        log.debug({ err: error, sessionId }, 'the store cannot say what became of a move')
      }
    }
    return false
  }

  async #callOff(sessionId: string, token: number): Promise<void> {
    const { log, store } = this.#options
    // What is reserved over there is free when its move is next looked at, or with this session.
    await store
      .abortMove(sessionId, token)
      .catch((error: unknown) => log.debug({ err: error, sessionId }, 'a move was not called off'))
  }
}

function keyOf(sessionId: string, token: number): string {
  return `${sessionId}/${token}`
}
