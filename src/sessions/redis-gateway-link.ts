import { LeadlineError } from '../errors.ts'
import type { Keys } from './keys.ts'
import type { GatewayLink, Route, SessionLink, WorkerEvent } from './link.ts'
import { decodeEvent, formatEntryId, parseEntryId } from './link-message.ts'
import type { Log } from './log.ts'
import { MailboxWriter, mailboxLimits } from './mailbox-writer.ts'
import type { MailboxLimits } from './mailbox-writer.ts'
import type { RedisConnections } from './redis-connections.ts'
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

/** The gateway's end of the link over Redis: a mailbox per session out, an outbound stream per session back. */
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
    const outbound = keys.outbound(route.sessionId)
    let attached = true
    const detach = (): void => {
      if (!attached) return
      attached = false
      this.#reader.remove(outbound)
      writer.stop()
      redis.commands.unlink(outbound).catch(() => {})
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
        const { event, consumed } = decodeEvent(entry)
        writer.taken(consumed)
        onEvent(event)
      }
    })
    return {
      send: (command) => writer.send(command),
      get hasRoom() {
        return writer.hasRoom
      },
      detach
    }
  }

  async forget(workerIds: readonly string[], sessionIds: readonly string[]): Promise<void> {
    const { keys, redis } = this.#options
    const streams = sessionIds.flatMap((id) => [keys.mailbox(id), keys.outbound(id)])
    if (streams.length > 0) await redis.commands.unlink(...streams)
    await Promise.all(workerIds.map((id) => this.#turns.remove(id)))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
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
