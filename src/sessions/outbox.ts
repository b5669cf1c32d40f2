import type { LinkMessage } from './link-message.ts'
import { formatEntryId } from './link-message.ts'
import type { RedisConnections } from './redis-connections.ts'

/**
 * The worker's end of an outbound stream. Events are kept until Redis has them and are sent again after an outage:
 * their ids are explicit and rising, so that Redis itself refuses what it already has, and what a former owner of the
 * session (with a smaller token) still tries to say.
 */
export class Outbox {
  readonly #redis: RedisConnections
  readonly #key: string
  readonly #token: number
  readonly #ttlMs: number
  readonly #unanswered = new Map<number, LinkMessage>()
  #lastNumber = 0
  #mustResend = false

  constructor(redis: RedisConnections, key: string, options: { token: number; ttlMs: number }) {
    this.#redis = redis
    this.#key = key
    this.#token = options.token
    this.#ttlMs = options.ttlMs
  }

  get token(): number {
    return this.#token
  }

  get isEmpty(): boolean {
    return this.#unanswered.size === 0
  }

  push(message: LinkMessage): void {
    const number = ++this.#lastNumber
    this.#unanswered.set(number, message)
    if (!this.#mustResend) this.#send(number, message)
    if (number === 1) this.expire(this.#ttlMs)
  }

  /** Send again what Redis refused or never answered. */
  resend(): void {
    if (!this.#mustResend || this.#redis.reason() !== null) return
    this.#mustResend = false
    for (const [number, message] of this.#unanswered) this.#send(number, message)
    this.expire(this.#ttlMs)
  }

  expire(ttlMs: number): void {
    this.#redis.commands.pexpire(this.#key, ttlMs).catch(() => {})
  }

  #send(number: number, message: LinkMessage): void {
    const id = formatEntryId({ token: this.#token, number })
    this.#redis.append({ key: this.#key, flags: [], id, message }).then(
      () => this.#unanswered.delete(number),
      (error: Error) => {
        if (error.message.includes('equal or smaller')) this.#unanswered.delete(number)
        else this.#mustResend = true
      }
    )
  }
}
