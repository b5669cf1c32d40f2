import type { LinkMessage } from './link-message.ts'
import { formatEntryId, isKnownEntry } from './link-message.ts'
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
  /** Redis has the stream. */
  #isMade = false
  #mustResend = false
  #refusedAtMs: number | null = null
  #isUnread = false

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

  /** Its gateway has removed the stream: it reads no more. */
  get isUnread(): boolean {
    return this.#isUnread
  }

  /** For how long nothing could be sent that was tried. */
  get stuckMs(): number {
    return this.#refusedAtMs === null ? 0 : performance.now() - this.#refusedAtMs
  }

  push(message: LinkMessage): void {
    if (this.#isUnread) return
    const number = ++this.#lastNumber
    this.#unanswered.set(number, message)
    if (this.#mustResend) return
    if (number === 1) this.#make(message)
    else if (this.#isMade) this.#send(number, message)
  }

  /** Nobody reads the stream: it goes, and what was not sent is forgotten. */
  discard(): void {
    this.#isUnread = true
    this.#unanswered.clear()
    this.#redis.frames.unlink(this.#key).catch(() => {})
  }

  /** Send again what Redis refused or never answered. */
  resend(): void {
    if (!this.#mustResend || !this.#redis.isUp) return
    this.#mustResend = false
    const first = this.#unanswered.get(1)
    if (first) return this.#make(first)
    for (const [number, message] of this.#unanswered) this.#send(number, message)
    this.expire(this.#ttlMs)
  }

  expire(ttlMs: number): void {
    this.#redis.frames.pexpire(this.#key, ttlMs).catch(() => {})
  }

  /** The first event makes the stream, with a life from its first moment; those that come meanwhile wait for it. */
  #make({ head, body }: LinkMessage): void {
    const values = [this.#ttlMs, formatEntryId({ token: this.#token, number: 1 }), head, body]
    this.#redis.frameScripts.run('appendToStream', [this.#key], values).then(
      () => {
        this.#isMade = true
        this.#answered(1, true)
        for (const [number, message] of this.#unanswered) this.#send(number, message)
      },
      () => this.#refused()
    )
  }

  /** To the later events the absence of the stream says that nobody reads it. */
  #send(number: number, message: LinkMessage): void {
    const id = formatEntryId({ token: this.#token, number })
    this.#redis.append({ key: this.#key, flags: ['NOMKSTREAM'], id, message }).then(
      (appended) => this.#answered(number, appended !== null),
      (error: unknown) => (isKnownEntry(error) ? this.#answered(number, true) : this.#refused())
    )
  }

  #refused(): void {
    this.#mustResend = true
    this.#refusedAtMs ??= performance.now()
  }

  #answered(number: number, isAppended: boolean): void {
    this.#refusedAtMs = null
    this.#unanswered.delete(number)
    if (isAppended) return
    this.#isUnread = true
    this.#unanswered.clear()
  }
}
