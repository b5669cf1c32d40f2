import type { Keys } from './keys.ts'
import type { LinkMessage } from './link-message.ts'
import { Outbox } from './outbox.ts'
import type { RedisConnections } from './redis-connections.ts'
import { outageMs } from '../session-store.ts'

interface OutboxesOptions {
  redis: RedisConnections
  keys: Keys
  /** Whose they are. */
  workerId: () => string
  ttlMs: number
  /** Nobody hears what is said of the session under this token, and nobody can be told so. Called once for each. */
  onUseless: (sessionId: string, token: number) => void
}

/** How long the last words to a gateway are tried to be sent, and then stay readable. */
const lastWordsMs = 10_000

/** What a worker says of its sessions: one outbox for each token that a session is held by. */
export class Outboxes {
  readonly #options: OutboxesOptions
  readonly #current = new Map<string, Outbox>()
  readonly #useless = new WeakSet<Outbox>()
  /** Where the gateway that holds a session by this token is told of events. */
  readonly #bells = new Map<string, { token: number; bell: string }>()
  /** Of sessions that are over or were taken over, until Redis has their last events. */
  readonly #leaving = new Map<Outbox, { untilMs: number }>()

  constructor(options: OutboxesOptions) {
    this.#options = options
  }

  /** Whoever holds the session by this token is told of events there. */
  holder(sessionId: string, token: number, bell: string): void {
    this.#bells.set(sessionId, { token, bell })
  }

  /** What is said under an older token than before are its last words. */
  push(sessionId: string, token: number, message: LinkMessage): void {
    const current = this.#current.get(sessionId)
    if (current?.token === token) return current.push(message)
    const { keys, redis, ttlMs, workerId } = this.#options
    const holder = this.#bells.get(sessionId)
    const bell = holder?.token === token ? holder.bell : null
    const outbound = keys.outbound(sessionId, workerId(), token)
    const made = new Outbox(redis, { outbound, ended: keys.ended(outbound) }, { token, ttlMs, bell })
    made.push(message)
    const isLate = current !== undefined && token < current.token
    if (isLate) return this.#leave(made)
    if (current) this.#leave(current)
    this.#current.set(sessionId, made)
  }

  /** Its gateway has read so many events. */
  heard(sessionId: string, token: number, number: number): void {
    const current = this.#current.get(sessionId)
    if (current?.token === token) current.heard(number)
  }

  /** Nobody hears what is said under this token. */
  discard(sessionId: string, token: number): void {
    const current = this.#current.get(sessionId)
    if (current?.token !== token) return
    current.discard()
    this.#current.delete(sessionId)
  }

  /** Everything was said of the session. */
  finish(sessionId: string): void {
    const current = this.#current.get(sessionId)
    this.#current.delete(sessionId)
    this.#bells.delete(sessionId)
    if (current) this.#leave(current)
    this.#sweep()
  }

  tick(): void {
    for (const [sessionId, outbox] of this.#current) {
      outbox.resend()
      if (this.#useless.has(outbox) || !(outbox.isUnread || outbox.stuckMs > outageMs)) continue
      this.#useless.add(outbox)
      this.#options.onUseless(sessionId, outbox.token)
    }
    this.#sweep()
  }

  renew(): void {
    for (const outbox of this.#current.values()) outbox.expire(this.#options.ttlMs)
  }

  /** Whether Redis has every last word. */
  get isSaid(): boolean {
    return [...this.#leaving.keys()].every((outbox) => outbox.isEmpty)
  }

  #leave(outbox: Outbox): void {
    this.#leaving.set(outbox, { untilMs: performance.now() + lastWordsMs })
  }

  #sweep(): void {
    for (const [outbox, { untilMs }] of this.#leaving) {
      outbox.resend()
      // In the order they were sent, so this comes after the last words.
      outbox.expire(lastWordsMs)
      if (outbox.isEmpty || performance.now() > untilMs) this.#leaving.delete(outbox)
    }
  }
}
