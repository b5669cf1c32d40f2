import { LeadlineError } from '../errors.ts'
import type { Keys } from './keys.ts'
import type { Route, SessionCommand } from './link.ts'
import { encodeCommand, formatEntryId } from './link-message.ts'
import type { LinkMessage } from './link-message.ts'
import type { RedisConnections } from './redis-connections.ts'
import type { TurnQueues } from './turns.ts'

export interface MailboxLimits {
  /** What a mailbox may hold unread. Credits keep it far below: this is a guard, and reaching it ends the session. */
  maxEntries: number
  maxBytes: number
  /** Frames in Redis live no longer than this without a worker that renews them. */
  ttlMs: number
}

export const mailboxLimits: MailboxLimits = { maxEntries: 1024, maxBytes: 256 * 2 ** 20, ttlMs: 30_000 }

/** Above this many bytes that the worker has not taken, or that wait to be sent to Redis, a mailbox has no room to speak of. */
const roomyBytes = 4 * 2 ** 20

interface Numbered extends LinkMessage {
  id: string
}

interface MailboxWriterOptions {
  redis: RedisConnections
  keys: Keys
  turns: TurnQueues
  route: Route
  limits: MailboxLimits
  /** Called once; nothing is sent afterwards. */
  onFailure: (error: LeadlineError) => void
}

/**
 * The gateway's end of a mailbox. While a turn is on, a command costs one XADD NOMKSTREAM. When the mailbox is gone the
 * turn has ended: what was refused is appended by a script that creates the mailbox, and a new turn is queued. Nothing
 * but that script creates it, so once one append is refused all that follow are too, and the order holds.
 */
export class MailboxWriter {
  readonly #options: MailboxWriterOptions
  readonly #key: string
  #isOpen = false
  #lastNumber = 0
  /** Appends without an answer yet. */
  #unanswered = 0
  /** Refused by a mailbox that was gone, then what was sent since; both in order. */
  #refused: Numbered[] = []
  #later: Numbered[] = []
  /** Bytes of every command the worker has not taken, by number. */
  readonly #untaken = new Map<number, number>()
  #untakenBytes = 0
  #stopped = false

  constructor(options: MailboxWriterOptions) {
    this.#options = options
    this.#key = options.keys.mailbox(options.route.sessionId)
  }

  send(command: SessionCommand): void {
    if (this.#stopped) return
    const number = ++this.#lastNumber
    const message = {
      ...encodeCommand(command),
      id: formatEntryId({ token: this.#options.route.token, number })
    }
    if (!this.#account(number, message.body.byteLength)) return
    if (this.#isOpen) this.#append(message)
    else {
      this.#later.push(message)
      this.#reopen()
    }
  }

  get hasRoom(): boolean {
    return this.#untakenBytes <= roomyBytes && this.#options.redis.unsentBytes <= roomyBytes
  }

  /** The worker has taken this many commands of all that were sent. */
  taken(count: number): void {
    for (const [number, bytes] of this.#untaken) {
      if (number > count) break
      this.#untaken.delete(number)
      this.#untakenBytes -= bytes
    }
  }

  /** Whatever was sent is still appended, but a failure is no longer told. */
  stop(): void {
    this.#stopped = true
  }

  #account(number: number, bytes: number): boolean {
    const { maxBytes, maxEntries } = this.#options.limits
    if (
      this.#untaken.size >= maxEntries ||
      (this.#untaken.size > 0 && this.#untakenBytes + bytes > maxBytes)
    ) {
      const held = `${this.#untaken.size} messages, ${this.#untakenBytes} bytes`
      this.#fail(
        new LeadlineError('FLOW_CONTROL', `The mailbox is full (${held}); send fewer frames at once`)
      )
      return false
    }
    this.#untaken.set(number, bytes)
    this.#untakenBytes += bytes
    return true
  }

  #append(message: Numbered): void {
    this.#unanswered += 1
    this.#options.redis.append({ key: this.#key, flags: ['NOMKSTREAM'], id: message.id, message }).then(
      (id) => this.#answered(id === null ? message : null),
      (error: unknown) => this.#fail(this.#options.redis.unavailable(error))
    )
  }

  #answered(refused: Numbered | null): void {
    this.#unanswered -= 1
    if (refused) {
      this.#isOpen = false
      this.#refused.push(refused)
    }
    if (!this.#isOpen) this.#reopen()
  }

  /** Append what waits and queue a turn, once every append before it is answered. */
  #reopen(): void {
    if (this.#unanswered > 0) return
    const messages = [...this.#refused, ...this.#later]
    this.#refused = []
    this.#later = []
    const [first] = messages
    if (!first) return
    const { limits, redis } = this.#options
    this.#unanswered += 1
    redis.scripts
      .run(
        'appendToMailbox',
        [this.#key],
        [limits.ttlMs, ...messages.flatMap(({ id, head, body }) => [id, head, body])]
      )
      .then(async (created) => {
        this.#unanswered -= 1
        this.#isOpen = true
        for (const message of this.#later.splice(0)) this.#append(message)
        if (created === 1) await this.#queueTurn(first.id)
      })
      .catch((error: unknown) => this.#fail(redis.unavailable(error)))
  }

  #queueTurn(id: string): Promise<void> {
    const { route, turns } = this.#options
    return turns.add(route.workerId, route.sessionId, id)
  }

  #fail(error: LeadlineError): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#options.onFailure(error)
  }
}
