import { Bell } from './bell.ts'
import type { LinkMessage } from './link-message.ts'
import { formatEntryId, isKnownEntry } from './link-message.ts'
import type { RedisConnections } from './redis-connections.ts'

interface OutboxKeys {
  outbound: string
  /** Where its gateway says that it reads no more. */
  ended: string
}

interface OutboxOptions {
  token: number
  ttlMs: number
  /** Where the gateway is told of events; null where that is not known. */
  bell: string | null
}

/**
 * The worker's end of an outbound stream. Events are kept until the gateway has read them, so that a Redis that forgets
 * loses none, and are sent again after an outage, also those that it had answered: it may be back as it was before them. Their
 * ids are explicit and rising, so that Redis itself refuses what it already has, and what a former owner of the session
 * (with a smaller token) still tries to say.
 */
export class Outbox {
  readonly #redis: RedisConnections
  readonly #key: string
  readonly #endedKey: string
  readonly #token: number
  readonly #ttlMs: number
  readonly #bell: Bell
  /** Not known to be read, by number. */
  readonly #unheard = new Map<number, LinkMessage>()
  /** Of these, what Redis is not known to have. */
  readonly #unanswered = new Set<number>()
  #lastNumber = 0
  #stream: 'missing' | 'making' | 'made' = 'missing'
  /** Over which it was made. */
  #connection = 0
  #refusedAtMs: number | null = null
  #isUnread = false

  constructor(redis: RedisConnections, keys: OutboxKeys, options: OutboxOptions) {
    const { outbound: key, ended } = keys
    this.#redis = redis
    this.#key = key
    this.#endedKey = ended
    this.#token = options.token
    this.#ttlMs = options.ttlMs
    this.#bell = new Bell(redis, { bell: options.bell, stream: key })
  }

  get token(): number {
    return this.#token
  }

  /** Redis has every event. */
  get isEmpty(): boolean {
    return this.#unanswered.size === 0
  }

  /** Its gateway has ended the stream: it reads no more. */
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
    this.#unheard.set(number, message)
    this.#unanswered.add(number)
    const mustRing = this.#bell.mark(message)
    if (this.#isUncertain) this.#missing()
    else if (this.#stream === 'made') {
      this.#send(number, message)
      if (mustRing) this.#bell.ring()
    } else if (this.#refusedAtMs === null) this.#make()
  }

  /** The gateway has read everything through this number. */
  heard(number: number): void {
    for (const known of this.#unheard.keys()) {
      if (known > number) break
      this.#unheard.delete(known)
      this.#unanswered.delete(known)
    }
  }

  /** Nobody reads the stream: it goes, and what was not sent is forgotten. */
  discard(): void {
    this.#forget()
    this.#redis.frames.unlink(this.#key).catch(() => {})
  }

  /** Send again what Redis refused or never answered, or may have forgotten. */
  resend(): void {
    if (!this.#redis.isUp) return
    if (this.#refusedAtMs !== null) this.#make()
    else if (this.#isUncertain && this.#unheard.size > 0) this.#missing()
  }

  /** Nobody knows what is in it since there is another connection. */
  get #isUncertain(): boolean {
    return this.#stream === 'made' && this.#connection !== this.#redis.frameConnections
  }

  expire(ttlMs: number): void {
    this.#redis.frames.pexpire(this.#key, ttlMs).catch(() => {})
  }

  /** The stream, with a life from its first moment and all that is unheard; what comes meanwhile waits for it. */
  #make(): void {
    if (this.#stream === 'making' || this.#isUnread) return
    this.#stream = 'making'
    const connection = this.#redis.frameConnections
    const batch = [...this.#unheard]
    const values = batch.flatMap(([number, { head, body }]) => [this.#idOf(number), head, body])
    this.#redis.frameScripts
      .run('appendToOutbound', [this.#key, this.#endedKey], [this.#ttlMs, ...values])
      .then(
        (outcome) => {
          if (outcome === -1) return this.#forget()
          this.#stream = 'made'
          this.#connection = connection
          this.#refusedAtMs = null
          for (const [number] of batch) this.#unanswered.delete(number)
          for (const number of this.#unanswered) this.#send(number, this.#unheard.get(number))
          this.#bell.ring()
        },
        () => this.#refused()
      )
  }

  #send(number: number, message: LinkMessage | undefined): void {
    if (!message) return
    const id = this.#idOf(number)
    this.#redis.append({ key: this.#key, flags: ['NOMKSTREAM'], id, message }).then(
      (appended) => (appended === null ? this.#missing() : this.#answered(number)),
      (error: unknown) => (isKnownEntry(error) ? this.#answered(number) : this.#refused())
    )
  }

  #idOf(number: number): string {
    return formatEntryId({ token: this.#token, number })
  }

  /** Redis has lost it. */
  #missing(): void {
    if (this.#stream === 'made') this.#stream = 'missing'
    this.#make()
  }

  #refused(): void {
    this.#stream = 'missing'
    this.#refusedAtMs ??= performance.now()
  }

  #answered(number: number): void {
    this.#refusedAtMs = null
    this.#unanswered.delete(number)
  }

  #forget(): void {
    this.#isUnread = true
    this.#unheard.clear()
    this.#unanswered.clear()
  }
}
