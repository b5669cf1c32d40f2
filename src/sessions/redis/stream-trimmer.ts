import { formatEntryId } from './link-message.ts'
import type { EntryId } from './link-message.ts'
import type { RedisConnections } from './redis-connections.ts'

/** What a stream may keep although it was read: trimming at every entry would cost a command each. */
const maxReadEntries = 32
const maxReadBytes = 2 ** 20

/** Removes what was read from one stream, now and then. */
export class StreamTrimmer {
  readonly #redis: RedisConnections
  readonly #key: string
  #entries = 0
  #bytes = 0

  constructor(redis: RedisConnections, key: string) {
    this.#redis = redis
    this.#key = key
  }

  /** The entry `id` was read and will not be read again, nor anything before it. */
  read(id: EntryId, bytes: number): void {
    this.#entries += 1
    this.#bytes += bytes
    if (this.#entries < maxReadEntries && this.#bytes < maxReadBytes) return
    this.#entries = 0
    this.#bytes = 0
    const firstKept = formatEntryId({ token: id.token, number: id.number + 1 })
    this.#redis.frames.xtrim(this.#key, 'MINID', firstKept).catch(() => {})
  }
}
