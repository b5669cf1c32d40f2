import { LeadlineError } from '../../errors.ts'
import { Bell } from './bell.ts'
import type { Keys } from './keys.ts'
import type { Route } from '../link.ts'
import { encodeCommand, formatEntryId, isKnownEntry } from './link-message.ts'
import type { LinkMessage, MailboxCommand } from './link-message.ts'
import { retryMs } from './patiently.ts'
import type { RedisConnections } from './redis-connections.ts'
import { outageMs } from '../session-store.ts'
import type { TurnQueues } from './turns.ts'

export interface MailboxLimits {
  /** What a mailbox may hold unread. Credits keep it far below: this is a guard, and reaching it ends the session. */
  maxEntries: number
  maxBytes: number
  /** Frames in Redis live no longer than this without a worker that renews them. */
  ttlMs: number
  /** A worker that has taken nothing for this long is told of the mailbox again: its turn may have been lost. */
  remindMs: number
}

export const mailboxLimits: MailboxLimits = {
  ...{ maxEntries: 1024, maxBytes: 256 * 2 ** 20, ttlMs: 30_000, remindMs: 2000 }
}

/** Above this many bytes that the worker has not taken, or that wait to be sent to Redis, a mailbox has no room to speak of. */
const roomyBytes = 4 * 2 ** 20

interface Sent extends LinkMessage {
  id: string
  /** `performance.now()` when it was sent first. */
  sentAtMs: number
  /** What waits for nothing but to be taken is worth no turn of its own. */
  isAside: boolean
}

interface MailboxWriterOptions {
  redis: RedisConnections
  keys: Keys
  turns: TurnQueues
  route: Route
  limits: MailboxLimits
  /** How many events of the session were read. */
  heard: () => number
  /** Where this gateway is told of events. */
  bell: string
  /** Called once; nothing is sent afterwards. */
  onFailure: (error: LeadlineError) => void
}

/**
 * The gateway's end of a mailbox. While a turn is on, a command costs one XADD NOMKSTREAM. When the mailbox is gone the
 * turn has ended: what was refused is appended by a script that creates the mailbox, and a new turn is queued. Nothing
 * but that script creates it, so once one append is refused all that follow are too, and the order holds. What a broken
 * connection left unanswered, or a Redis that forgot took with it, is sent again the same way, for as long as an outage may
 * last: ids are explicit and rising, so that neither the mailbox nor the worker takes a command twice. Every command is kept
 * until the worker has taken it, and whatever it has not is appended again, in order, before anything else over a new
 * connection: Redis may be back as it was before some of it, and would take what follows all the same.
 */
export class MailboxWriter {
  readonly #options: MailboxWriterOptions
  readonly #key: string
  readonly #bell: Bell
  /** Sent, and not known to be in the mailbox; by number, in order. */
  readonly #pending = new Map<number, Sent>()
  /** What the worker is not known to have taken, by number. */
  readonly #untaken = new Map<number, Sent>()
  #untakenBytes = 0
  #lastNumber = 0
  #isOpen = false
  /** Over which it was opened. */
  #connection = 0
  /** Appends without an answer yet. */
  #unanswered = 0
  /** Turns queued so far: each has an id of its own. One too many does no harm. */
  #turns = 0
  /** Since the last success, so that what was carried out is not known. */
  #hasFailed = false
  #retryTimer: NodeJS.Timeout | undefined
  #remindTimer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: MailboxWriterOptions) {
    this.#options = options
    const { keys, redis, route } = options
    this.#key = keys.mailbox(route.sessionId, route.workerId)
    this.#bell = new Bell(redis, { bell: keys.bell(route.workerId), stream: this.#key })
  }

  send(command: MailboxCommand): void {
    if (this.#stopped) return
    const number = this.#lastNumber + 1
    const message = encodeCommand(command, { bell: this.#options.bell, heard: this.#options.heard() })
    if (!this.#fits(message.body.byteLength)) return
    this.#lastNumber = number
    const id = formatEntryId({ token: this.#options.route.token, number })
    const sent = { ...message, id, sentAtMs: performance.now(), isAside: command.type === 'aside' }
    this.#untaken.set(number, sent)
    this.#untakenBytes += message.body.byteLength
    this.#pending.set(number, sent)
    this.#remindTimer ??= setTimeout(() => void this.#remind(), this.#options.limits.remindMs)
    const mustRing = this.#bell.mark(sent)
    if (this.#isUncertain) return this.#lost()
    if (!this.#isOpen) return this.#reopen()
    this.#append(number, sent)
    if (mustRing) this.#bell.ring()
  }

  get hasRoom(): boolean {
    return this.#untakenBytes <= roomyBytes && this.#options.redis.unsentBytes <= roomyBytes
  }

  /** The worker has taken this many commands of all that were sent. */
  taken(count: number): void {
    for (const [number, { body }] of this.#untaken) {
      if (number > count) break
      this.#untaken.delete(number)
      this.#untakenBytes -= body.byteLength
      this.#remindTimer?.refresh()
    }
  }

  /** Whatever was sent is still appended if it can be at once, but a failure is no longer told. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#remindTimer)
  }

  /** Nobody knows what is in it since there is another connection. */
  get #isUncertain(): boolean {
    return this.#isOpen && this.#connection !== this.#options.redis.frameConnections
  }

  #fits(bytes: number): boolean {
    const { maxBytes, maxEntries } = this.#options.limits
    const { size } = this.#untaken
    if (size < maxEntries && (size === 0 || this.#untakenBytes + bytes <= maxBytes)) return true
    const held = `${size} messages, ${this.#untakenBytes} bytes`
    this.#fail(new LeadlineError('FLOW_CONTROL', `The mailbox is full (${held}); send fewer frames at once`))
    return false
  }

  #append(number: number, message: Sent): void {
    this.#unanswered += 1
    this.#options.redis.append({ key: this.#key, flags: ['NOMKSTREAM'], id: message.id, message }).then(
      (id) => this.#answered(number, id !== null),
      (error: unknown) => {
        if (isKnownEntry(error)) return this.#answered(number, true)
        this.#unanswered -= 1
        this.#isOpen = false
        this.#retry(error)
      }
    )
  }

  #answered(number: number, isAppended: boolean): void {
    this.#unanswered -= 1
    if (isAppended) this.#pending.delete(number)
    else this.#isOpen = false
    if (!this.#isOpen) this.#reopen()
  }

  /**
   * Append what the worker has not taken and queue a turn, once every append before it is answered. A mailbox that is gone
   * may have taken commands with it.
   */
  #reopen(): void {
    if (this.#unanswered > 0 || this.#pending.size === 0 || this.#retryTimer) return
    const { limits, redis } = this.#options
    const connection = redis.frameConnections
    const batch = [...this.#untaken]
    const values = batch.flatMap(([, { id, head, body }]) => [id, head, body])
    this.#unanswered += 1
    redis.frameScripts.run('appendToMailbox', [this.#key], [limits.ttlMs, ...values]).then(
      (created) => {
        this.#unanswered -= 1
        for (const [number] of batch) this.#pending.delete(number)
        this.#isOpen = true
        this.#connection = connection
        for (const [number, message] of this.#pending) this.#append(number, message)
        this.#bell.ring()
        if (created === 1 || this.#hasFailed) this.#queueTurn()
        this.#hasFailed = false
      },
      (error: unknown) => {
        this.#unanswered -= 1
        this.#retry(error)
      }
    )
  }

  /** After a failure; not for longer than an outage may last. */
  #retry(error: unknown): void {
    this.#hasFailed = true
    if (this.#stopped || this.#retryTimer) return
    const [oldest] = this.#pending.values()
    if (oldest && performance.now() - oldest.sentAtMs > outageMs) {
      return this.#fail(this.#options.redis.unavailable(error))
    }
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined
      this.#reopen()
    }, retryMs)
  }

  #queueTurn(firstTriedAtMs = performance.now()): void {
    const { redis, route, turns } = this.#options
    turns.add(route.workerId, route.sessionId, `${route.token}-${++this.#turns}`).catch((error: unknown) => {
      if (performance.now() - firstTriedAtMs > outageMs) return this.#fail(redis.unavailable(error))
      setTimeout(() => {
        if (!this.#stopped) this.#queueTurn(firstTriedAtMs)
      }, retryMs)
    })
  }

  async #remind(): Promise<void> {
    const { limits, redis } = this.#options
    const waiting = [...this.#untaken].filter(([, { isAside }]) => !isAside)
    if (this.#isUncertain) this.#lost()
    else if (this.#isOpen && waiting.length > 0) {
      const there = await redis.frames.exists(this.#key).catch(() => null)
      if (there === 1) this.#queueTurn()
      else if (there === 0) this.#lost()
    }
    this.#remindTimer = undefined
    if (this.#stopped || this.#untaken.size === 0) return
    this.#remindTimer = setTimeout(() => void this.#remind(), limits.remindMs)
  }

  /** The mailbox is gone with what was in it, or its turn has ended just now; or nobody knows what is in it. */
  #lost(): void {
    if (this.#stopped) return
    if (this.#isUncertain) this.#hasFailed = true
    for (const [number, sent] of this.#untaken) this.#pending.set(number, sent)
    this.#isOpen = false
    this.#reopen()
  }

  #fail(error: LeadlineError): void {
    if (this.#stopped) return
    this.stop()
    this.#options.onFailure(error)
  }
}
