import { randomBytes } from 'node:crypto'
import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { Keys } from './keys.ts'
import type {
  GatewayLink,
  PlacedSession,
  Route,
  SessionCommand,
  SessionLink,
  WorkerEvent,
  WorkerNote
} from '../link.ts'
import { encodeOpen } from './inbox-message.ts'
import { tellWorker } from './tell-worker.ts'
import { decodeEvent, formatEntryId, parseEntryId } from './link-message.ts'
import type { MailboxCommand } from './link-message.ts'
import type { Log } from '../log.ts'
import { Opening } from './opening.ts'
import { MailboxWriter, mailboxLimits } from './mailbox-writer.ts'
import type { MailboxLimits } from './mailbox-writer.ts'
import { patiently } from './patiently.ts'
import type { RedisConnections } from './redis-connections.ts'
import { StreamReader } from './stream-reader.ts'
import type { StreamEntry } from './stream-reader.ts'
import { StreamTrimmer } from './stream-trimmer.ts'
import { TurnQueues } from './turns.ts'

/** Of events that were read. Frames tell of them by the way; where none come, this many may stay in the worker's memory. */
const mostUntold = 8
/** For how long a worker is told, where it appends, that nobody reads. After that the row has told it. */
const endedMs = 5000
/** Tells of them alone. */
const nothingNew: MailboxCommand = { type: 'aside', aside: { acked: null, settled: [] } }

interface RedisGatewayLinkOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
  limits?: Partial<MailboxLimits>
  /** So many streams are named in every read. */
  fewStreams?: number
}

/**
 * The gateway's end of the link over Redis: `open` goes into the worker's inbox, what follows into a mailbox per session,
 * and an outbound stream per session comes back.
 */
export class RedisGatewayLink implements GatewayLink {
  readonly #options: RedisGatewayLinkOptions
  readonly #reader: StreamReader
  readonly #turns: TurnQueues
  readonly #bell: string
  #closed: Promise<void> | null = null

  constructor(options: RedisGatewayLinkOptions) {
    const { keys, log, redis } = options
    this.#options = options
    this.#bell = keys.bell(randomBytes(8).toString('base64url'))
    this.#reader = new StreamReader({ redis, log, bell: this.#bell, few: options.fewStreams })
    this.#turns = new TurnQueues({ redis, keys, log })
  }

  attach(
    route: Route,
    onEvent: (event: WorkerEvent) => void,
    onFailure: (error: LeadlineError) => void
  ): SessionLink {
    const { keys, redis } = this.#options
    const outbound = keys.outbound(route.sessionId, route.workerId, route.token)
    let attached = true
    let isOver = false
    let lastNumber = 0
    const detach = (): void => {
      if (!attached) return
      attached = false
      clearInterval(timer)
      this.#reader.remove(outbound)
      writer.stop()
      const ended = isOver
        ? redis.frames.unlink(outbound)
        : redis.frameScripts.run('endOutbound', [outbound, keys.ended(outbound)], [endedMs])
      ended.catch(() => {})
    }
    const fail = (error: LeadlineError): void => {
      detach()
      onFailure(error)
    }
    let told = 0
    const heard = (): number => (told = lastNumber)
    const limits = { ...mailboxLimits, ...this.#options.limits }
    const writer = new MailboxWriter({
      ...{ redis, keys, route, limits, turns: this.#turns, heard, onFailure: fail },
      bell: this.#bell
    })
    const trimmer = new StreamTrimmer(redis, outbound)
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
        isOver = isLast(read.event)
        onEvent(read.event)
      }
    })
    const opening = new Opening((command) => this.#sendOpen(route, command), { writer, onFailure: fail })
    const timer = setInterval(() => {
      if (lastNumber === 0) opening.remind()
      else if (lastNumber - told > mostUntold) writer.send(nothingNew)
    }, limits.remindMs)
    return {
      send: (command) => opening.send(command),
      get hasRoom() {
        return writer.hasRoom
      },
      detach
    }
  }

  async forget(workerIds: readonly string[], sessions: readonly PlacedSession[]): Promise<void> {
    const { keys, redis } = this.#options
    const streams = sessions.flatMap(({ id, token, workerId }) => [
      keys.mailbox(id, workerId),
      keys.outbound(id, workerId, token)
    ])
    const inboxes = workerIds.map((id) => keys.inbox(id))
    if (streams.length + inboxes.length > 0) await redis.frames.unlink(...streams, ...inboxes)
    await Promise.all(workerIds.map((id) => this.#turns.remove(id)))
  }

  tell(workerId: string, note: WorkerNote): Promise<void> {
    return tellWorker(this.#options, workerId, note)
  }

  async keepOnly(workerIds: ReadonlySet<string>): Promise<void> {
    await this.#turns.keepOnly(workerIds)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /**
   * On the control connection, so that it waits behind no frames, unless it brings some itself. A second one of the same
   * session does no harm.
   */
  async #sendOpen(route: Route, command: Extract<SessionCommand, { type: 'open' }>): Promise<void> {
    const { keys, redis } = this.#options
    const { head, body } = encodeOpen(route, { command, bell: this.#bell })
    const values = [mailboxLimits.ttlMs, head, body]
    const scripts = command.past ? redis.frameScripts : redis.controlScripts
    await patiently(redis, () => scripts.run('appendMortal', [keys.inbox(route.workerId)], values))
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

const lastTypes: ReadonlySet<WorkerEvent['type']> = new Set(['closed', 'taken', 'moved', 'openFailed'])

/** Nothing follows it under this token. */
function isLast(event: WorkerEvent): boolean {
  if (event.type === 'error') return event.seq === null
  return lastTypes.has(event.type)
}

function lostEvents(route: Route, lastNumber: number, found: string): LeadlineError {
  const wanted = formatEntryId({ token: route.token, number: lastNumber + 1 })
  return new LeadlineError(
    'STORE_UNAVAILABLE',
    `Events of the session were lost in Redis: ${found} came instead of ${wanted}; open a new session`
  )
}
