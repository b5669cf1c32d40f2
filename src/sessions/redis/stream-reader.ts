import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import type { LinkMessage } from './link-message.ts'
import type { Log } from '../log.ts'
import { blockMs } from './redis-connections.ts'
import type { RedisConnections } from './redis-connections.ts'

export interface StreamEntry extends LinkMessage {
  id: string
}

export interface StreamSource {
  /** Read what comes after this id. */
  after: string
  /** What it throws is logged, and nothing more is read of this stream. */
  onEntry(entry: StreamEntry): void
}

/** Entries of one stream per read: bounds what one busy session can put before the others. */
const maxEntries = 32
const wakeTtlMs = 60_000

/**
 * Reads many streams over one connection: each read names every stream and blocks until any has something. A stream
 * that is added while a read blocks is announced in a stream of the reader's own, which is always among those read;
 * unlike CLIENT UNBLOCK this cannot come too early, because the announcement stays until it is read.
 */
export class StreamReader {
  readonly #redis: RedisConnections
  readonly #blocking: Redis
  readonly #log: Log
  readonly #sources = new Map<string, StreamSource>()
  readonly #wakeKey: string
  #wakeAfter = '0-0'
  #isBlocked = false
  #isWaking = false
  #closed = false
  #stopWaiting = (): void => {}
  readonly #running: Promise<void>

  constructor(redis: RedisConnections, keys: Keys, log: Log) {
    this.#redis = redis
    this.#blocking = redis.blocking()
    this.#log = log
    this.#wakeKey = keys.wake(randomBytes(8).toString('base64url'))
    this.#running = this.#run()
  }

  add(key: string, source: StreamSource): void {
    this.#sources.set(key, source)
    this.#wake()
  }

  remove(key: string): void {
    this.#sources.delete(key)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#blocking.disconnect()
    this.#stopWaiting()
    await this.#running
    await this.#redis.control.unlink(this.#wakeKey).catch(() => {})
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (this.#blocking.status !== 'ready') await this.#connected()
      else await this.#readOnce()
    }
  }

  async #readOnce(): Promise<void> {
    let reply: unknown
    try {
      reply = await this.#read()
    } catch (error) {
      if (!this.#closed) this.#log.debug({ err: error }, 'a read of the streams failed')
      await new Promise((resolve) => setImmediate(resolve))
      return
    }
    this.#deliver(reply)
    // What the handlers had to write, answers or acknowledgements, goes out before the next read does.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Until there is a connection, or none is wanted any more. */
  async #connected(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve
      this.#blocking.once('ready', resolve)
    })
    this.#blocking.removeListener('ready', this.#stopWaiting)
    this.#stopWaiting = () => {}
  }

  async #read(): Promise<unknown> {
    const keys = [this.#wakeKey]
    const ids = [this.#wakeAfter]
    for (const [key, source] of this.#sources) {
      keys.push(key)
      ids.push(source.after)
    }
    this.#isBlocked = true
    try {
      return await this.#blocking.xreadBuffer(
        'COUNT',
        maxEntries,
        'BLOCK',
        blockMs,
        'STREAMS',
        ...keys,
        ...ids
      )
    } finally {
      this.#isBlocked = false
    }
  }

  #deliver(reply: unknown): void {
    for (const [key, entries] of streamsOf(reply)) {
      if (key === this.#wakeKey) this.#wakeAfter = entries.at(-1)?.id ?? this.#wakeAfter
      for (const entry of entries) {
        const source = this.#sources.get(key)
        if (!source) break
        source.after = entry.id
        this.#hand(entry, key, source)
      }
    }
  }

  /** One stream that cannot be read must not stop the others. */
  #hand(entry: StreamEntry, key: string, source: StreamSource): void {
    try {
      source.onEntry(entry)
    } catch (error) {
      this.#log.error({ err: error, key, id: entry.id }, 'a stream that cannot be read')
      if (this.#sources.get(key) === source) this.#sources.delete(key)
    }
  }

  /** End the read that is blocked now, so that the next one knows the new stream. */
  #wake(): void {
    if (!this.#isBlocked || this.#isWaking) return
    this.#isWaking = true
    const done = (): void => void (this.#isWaking = false)
    this.#redis.controlScripts.run('appendMortal', [this.#wakeKey], [wakeTtlMs, '', '']).then(done, done)
  }
}

/** RESP2 gives pairs, RESP3 a map, which clients show as a Map, an object or a flat list; all are taken. */
function* streamsOf(reply: unknown): Generator<[string, StreamEntry[]]> {
  if (reply === null || reply === undefined) return
  if (reply instanceof Map) yield* pairs([...reply])
  else if (!Array.isArray(reply)) yield* pairs(Object.entries(reply as object))
  else if (reply.length > 0 && !Array.isArray(reply[0])) {
    yield* pairs(Array.from({ length: reply.length / 2 }, (_, i) => [reply[2 * i], reply[2 * i + 1]]))
  } else yield* pairs(reply as unknown[][])
}

function* pairs(streams: unknown[][]): Generator<[string, StreamEntry[]]> {
  for (const [key, entries] of streams) yield [String(key), (entries as [Buffer, Buffer[]][]).map(entryOf)]
}

const empty = Buffer.alloc(0)

/**
 * The parts are taken out of the reply: the promise it came through may have grown old while it blocked, and then even
 * dead it would keep the frames until the next full collection. Under load that was a fifth of a gateway's time.
 */
function entryOf(entry: [Buffer, Buffer[]]): StreamEntry {
  const [id, fields] = entry
  const [, head = empty, , body = empty] = fields.splice(0)
  return { id: id.toString('latin1'), head, body }
}
