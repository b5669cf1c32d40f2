import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { Keys } from './keys.ts'
import type { GatewayLink, Route, SessionCommand, SessionLink, WorkerEvent } from '../link.ts'
import { decodeEvent, encodeOpen, formatEntryId, parseEntryId } from './link-message.ts'
import type { MailboxCommand } from './link-message.ts'
import type { Log } from '../log.ts'
import { MailboxWriter, mailboxLimits } from './mailbox-writer.ts'
import type { MailboxLimits } from './mailbox-writer.ts'
import { patiently } from './patiently.ts'
import type { RedisConnections } from './redis-connections.ts'
import type { SessionKey } from '../session-store.ts'
import { StreamReader } from './stream-reader.ts'
import type { StreamEntry } from './stream-reader.ts'
import { StreamTrimmer } from './stream-trimmer.ts'
import { TurnQueues } from './turns.ts'

interface RedisGatewayLinkOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
  limits?: Partial<MailboxLimits>
}

/**
 * The gateway's end of the link over Redis: `open` goes into the worker's inbox, what follows into a mailbox per session,
 * and an outbound stream per session comes back.
 */
export class RedisGatewayLink implements GatewayLink {
  readonly #options: RedisGatewayLinkOptions
  readonly #reader: StreamReader
  readonly #turns: TurnQueues
  #closed: Promise<void> | null = null

  constructor(options: RedisGatewayLinkOptions) {
    const { keys, log, redis } = options
    this.#options = options
    this.#reader = new StreamReader(redis, keys, log)
    this.#turns = new TurnQueues({ redis, keys, log })
  }

  attach(
    route: Route,
    onEvent: (event: WorkerEvent) => void,
    onFailure: (error: LeadlineError) => void
  ): SessionLink {
    const { keys, redis } = this.#options
    const outbound = keys.outbound(route.sessionId, route.token)
    let attached = true
    const detach = (): void => {
      if (!attached) return
      attached = false
      this.#reader.remove(outbound)
      writer.stop()
      redis.frames.unlink(outbound).catch(() => {})
    }
    const fail = (error: LeadlineError): void => {
      detach()
      onFailure(error)
    }
    const writer = new MailboxWriter({
      ...{ redis, keys, route, turns: this.#turns, onFailure: fail },
      limits: { ...mailboxLimits, ...this.#options.limits }
    })
    const trimmer = new StreamTrimmer(redis, outbound)
    let lastNumber = 0
    this.#reader.add(outbound, {
      after: formatEntryId({ token: route.token, number: 0 }),
      onEntry: (entry: StreamEntry) => {
        const { token, number } = parseEntryId(entry.id)
        if (token !== route.token || number !== lastNumber + 1) {
          return fail(lostEvents(route, lastNumber, entry.id))
        }
        lastNumber = number
        trimmer.read({ token, number }, entry.body.byteLength)
        const read = this.#decode(route, entry)
        if (read instanceof LeadlineError) return fail(read)
        writer.taken(read.consumed)
        onEvent(read.event)
      }
    })
    // What is sent meanwhile must not overtake `open`, which takes another way.
    let held: MailboxCommand[] | null = null
    const opened = (): void => {
      for (const command of held ?? []) writer.send(command)
      held = null
    }
    const send = (command: SessionCommand): void => {
      if (command.type === 'open') {
        held = []
        this.#sendOpen(route, command).then(opened, (error: LeadlineError) => attached && fail(error))
      } else if (held) held.push(command)
      else writer.send(command)
    }
    return {
      send,
      get hasRoom() {
        return writer.hasRoom
      },
      detach
    }
  }

  async forget(workerIds: readonly string[], sessions: readonly SessionKey[]): Promise<void> {
    const { keys, redis } = this.#options
    const streams = sessions.flatMap(({ id, token }) => [keys.mailbox(id), keys.outbound(id, token)])
    const inboxes = workerIds.map((id) => keys.inbox(id))
    if (streams.length + inboxes.length > 0) await redis.frames.unlink(...streams, ...inboxes)
    await Promise.all(workerIds.map((id) => this.#turns.remove(id)))
  }

  async keepOnly(workerIds: ReadonlySet<string>): Promise<void> {
    await this.#turns.keepOnly(workerIds)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** On the control connection, so that it waits behind no frames. A second one of the same session does no harm. */
  async #sendOpen(route: Route, command: Extract<SessionCommand, { type: 'open' }>): Promise<void> {
    const { keys, redis } = this.#options
    const { head, body } = encodeOpen(route, command)
    const values = [mailboxLimits.ttlMs, head, body]
    await patiently(redis, () =>
      redis.controlScripts.run('appendMortal', [keys.inbox(route.workerId)], values)
    )
  }

  #decode({ sessionId }: Route, entry: StreamEntry): ReturnType<typeof decodeEvent> | LeadlineError {
    try {
      return decodeEvent(entry)
    } catch (error) {
      this.#options.log.error({ err: error, sessionId }, 'an event that cannot be read')
      return asLeadlineError(error)
    }
  }

  async #close(): Promise<void> {
    await this.#reader.close()
    await this.#turns.close()
  }
}

function lostEvents(route: Route, lastNumber: number, found: string): LeadlineError {
  const wanted = formatEntryId({ token: route.token, number: lastNumber + 1 })
  return new LeadlineError(
    'STORE_UNAVAILABLE',
    `Events of the session were lost in Redis: ${found} came instead of ${wanted}; open a new session`
  )
}
