import type { Keys } from './keys.ts'
import { decodeInbox } from './inbox-message.ts'
import type { InboxMessage, OpenMessage } from './inbox-message.ts'
import { parseEntryId } from './link-message.ts'
import type { NoteHandler } from '../link.ts'
import type { Log } from '../log.ts'
import type { RedisConnections } from './redis-connections.ts'
import type { StreamEntry, StreamReader } from './stream-reader.ts'
import { StreamTrimmer } from './stream-trimmer.ts'

interface WorkerInboxOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
  workerId: string
  reader: StreamReader
  onOpen: (message: OpenMessage) => void
  onNote: NoteHandler
}

/** The sessions that gateways and other workers hand to a worker, always read. It goes when the worker goes. */
export class WorkerInbox {
  readonly #options: WorkerInboxOptions
  readonly #key: string

  constructor(options: WorkerInboxOptions) {
    const { keys, reader, redis, workerId } = options
    this.#options = options
    this.#key = keys.inbox(workerId)
    const trimmer = new StreamTrimmer(redis, this.#key)
    reader.add(this.#key, {
      after: '0-0',
      isSilent: true,
      onEntry: (entry) => {
        trimmer.read(parseEntryId(entry.id), entry.body.byteLength)
        this.#take(entry)
      }
    })
  }

  expire(ttlMs: number): void {
    this.#options.redis.frames.pexpire(this.#key, ttlMs).catch(() => {})
  }

  async close(): Promise<void> {
    await this.#options.redis.frames.unlink(this.#key).catch(() => {})
  }

  #take(entry: StreamEntry): void {
    const message = this.#decode(entry)
    if (!message) return
    if ('note' in message) this.#options.onNote(message.note)
    else this.#options.onOpen(message)
  }

  /** Nobody can be told of what cannot be read: its session is lost when it has gone unserved for long enough. */
  #decode(entry: StreamEntry): InboxMessage | null {
    try {
      return decodeInbox(entry)
    } catch (error) {
      this.#options.log.error({ err: error }, 'a message in the inbox that cannot be read')
      return null
    }
  }
}
