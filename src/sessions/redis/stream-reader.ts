import type { Redis } from 'ioredis'
import type { LinkMessage } from './link-message.ts'
import type { Log } from '../log.ts'
import { steadyBit } from './pace.ts'
import { ReadPlan } from './read-plan.ts'
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
  /** Whoever appends to it does not ring. @default false */
  isSilent?: boolean
}

/** Entries of one stream per read: bounds what one busy session can put before the others. */
const maxEntries = 32
const bellTtlMs = 60_000
/** A Redis that forgot has no bell any more, and nobody but its reader makes it. */
const renewBellMs = 2000

interface StreamReaderOptions {
  redis: RedisConnections
  log: Log
  /** Key of a stream of the reader's own, where it is told of what lies in others. */
  bell: string
  /** So many streams are named in every read. */
  few?: number | undefined
}

/**
 * Reads many streams over one connection: each read blocks until any of the streams it names has something. It names its
 * bell, where others tell it of what they appended, and the streams that it was told of or that are steady; all of them now
 * and then. A stream that is added while a read blocks is announced in the bell, too; unlike CLIENT UNBLOCK that cannot come
 * too early, because the announcement stays until it is read.
 */
export class StreamReader {
  readonly #redis: RedisConnections
  readonly #blocking: Redis
  readonly #log: Log
  readonly #sources = new Map<string, StreamSource>()
  readonly #plan: ReadPlan
  readonly #bell: string
  #bellAfter = '0-0'
  #renewedAtMs = -Infinity
  #isBlocked = false
  #isWaking = false
  #closed = false
  #stopWaiting = (): void => {}
  readonly #running: Promise<void>

  constructor({ redis, log, bell, few }: StreamReaderOptions) {
    this.#redis = redis
    this.#blocking = redis.blocking()
    this.#log = log
    this.#plan = new ReadPlan(few)
    this.#bell = bell
    this.#running = this.#run()
  }

  add(key: string, source: StreamSource): void {
    this.#sources.set(key, source)
    this.#plan.add(key, source.isSilent)
    this.#wake()
  }

  remove(key: string): void {
    this.#sources.delete(key)
    this.#plan.remove(key)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#blocking.disconnect()
    this.#stopWaiting()
    await this.#running
    await this.#redis.control.unlink(this.#bell).catch(() => {})
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
      this.#plan.forget()
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
    this.#renewBell()
    const keys = [this.#bell]
    const ids = [this.#bellAfter]
    for (const key of this.#plan.next(performance.now())) {
      keys.push(key)
      ids.push(this.#sources.get(key)?.after ?? '$')
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
      if (key === this.#bell) this.#hear(entries)
      else this.#noteSeen(key, entries)
      for (const entry of entries) {
        const source = this.#sources.get(key)
        if (!source) break
        source.after = entry.id
        this.#hand(entry, key, source)
      }
    }
  }

  #hear(entries: readonly StreamEntry[]): void {
    for (const { body } of entries) this.#plan.ring(body.toString())
    this.#bellAfter = entries.at(-1)?.id ?? this.#bellAfter
  }

  #noteSeen(key: string, entries: readonly StreamEntry[]): void {
    const isSteady = ((entries.at(-1)?.head[0] ?? 0) & steadyBit) !== 0
    this.#plan.seen(key, { isSteady, isFull: entries.length >= maxEntries }, performance.now())
  }

  /** One stream that cannot be read must not stop the others. */
  #hand(entry: StreamEntry, key: string, source: StreamSource): void {
    try {
      source.onEntry(entry)
    } catch (error) {
      this.#log.error({ err: error, key, id: entry.id }, 'a stream that cannot be read')
      if (this.#sources.get(key) === source) this.remove(key)
    }
  }

  /** End the read that is blocked now, so that the next one knows the new stream. */
  #wake(): void {
    if (!this.#isBlocked || this.#isWaking) return
    this.#isWaking = true
    const done = (): void => void (this.#isWaking = false)
    this.#ringOwn().then(done, done)
  }

  #renewBell(): void {
    if (performance.now() - this.#renewedAtMs < renewBellMs) return
    this.#renewedAtMs = performance.now()
    this.#ringOwn().catch(() => {})
  }

  #ringOwn(): Promise<unknown> {
    return this.#redis.controlScripts.run('appendMortal', [this.#bell], [bellTtlMs, '', ''])
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
