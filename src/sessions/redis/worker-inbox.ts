import type { Keys } from './keys.ts'
import { decodeOpen, parseEntryId } from './link-message.ts'
import type { OpenMessage } from './link-message.ts'
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
}

/** The sessions that gateways hand to a worker, always read. It goes when the worker goes. */
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
    if (message) this.#options.onOpen(message)
  }

  /** Nobody can be told of what cannot be read: its row is closed when it has gone unserved for long enough. */
  #decode(entry: StreamEntry): OpenMessage | null {
    try {
      return decodeOpen(entry)
    } catch (error) {
      this.#options.log.error({ err: error }, 'an open that cannot be read')
      return null
    }
  }
}
