import type { Redis } from 'ioredis'
import { LeadlineError } from '../../errors.ts'
import { AppendCommand } from './append-command.ts'
import type { Append } from './append-command.ts'
import { warnOfEviction } from './eviction-policy.ts'
import type { Log } from '../log.ts'
import { connectTimeoutMs, createRedis, disconnectTimeoutMs, failFast } from './create-redis.ts'
import type { RedisTarget } from './create-redis.ts'
import { parseRedisUrl, withoutPassword } from './redis-address.ts'
import { RedisScripts } from './redis-scripts.ts'
import { checkRedisVersion } from './redis-version.ts'

const connectionLost = 'the connection was lost'
/** Reads of every kind end by themselves after this long, in seconds as BullMQ and in milliseconds as XREAD wants it. */
export const blockSeconds = 1
export const blockMs = blockSeconds * 1000
/**
 * An answer that is due and does not come within this long, while nothing else comes either, means that the connection
 * is half-open: nobody told us. Renewals of the leases must fit in twice.
 */
const controlSilenceMs = 1200
const framesSilenceMs = 2000
const blockingSilenceMs = blockMs + 1500

/**
 * One process's connections to Redis. Commands fail at once while Redis is away instead of waiting for it: whether to
 * send one again, and for how long, is for whoever issued it. Closed by whoever opened it.
 */
export class RedisConnections {
  /** For leases and rows: nothing large ever stands before them. */
  readonly control: Redis
  readonly controlScripts: RedisScripts
  /** For frames, depth maps and turns. */
  readonly frames: Redis
  readonly frameScripts: RedisScripts
  readonly #target: RedisTarget
  readonly #log: Log
  readonly #others: Redis[] = []
  #isAway = false
  #outages = 0
  #frameConnections = 0
  /** When the connections were made anew last because Redis is elsewhere. */
  #leftAtMs = -Infinity
  #closed = false

  private constructor(target: RedisTarget, log: Log, control: Redis) {
    this.#target = target
    this.#log = log
    this.control = control
    this.controlScripts = new RedisScripts(control)
    this.frames = this.#own(createRedis(target, { ...failFast, socketTimeout: framesSilenceMs }))
    this.frameScripts = new RedisScripts(this.frames)
    this.frames.on('ready', () => (this.#frameConnections += 1))
    control.on('close', () => this.#noteAway())
    control.on('ready', () => this.#noteBack())
    control.options.reconnectOnError = (error) => this.#isElsewhere(error)
  }

  /**
   * Throws STORE_UNAVAILABLE when Redis does not answer within seconds, CONFIG_INVALID when it is too old or `url` cannot be
   * read; nothing is left open. Only in a cluster does `keyPrefix` matter.
   */
  static async open(url: string, log: Log, keyPrefix = ''): Promise<RedisConnections> {
    const target: RedisTarget = { address: parseRedisUrl(url), url, keyPrefix }
    const control = createRedis(target, { lazyConnect: true, ...failFast, socketTimeout: controlSilenceMs })
    let lastError: NodeJS.ErrnoException = new Error('no answer')
    control.on('error', (error: NodeJS.ErrnoException) => (lastError = error))
    let opened: RedisConnections | undefined
    try {
      await withDeadline(async () => {
        await control.connect()
        await checkRedisVersion(control)
        await warnOfEviction(control, log)
        opened = new RedisConnections(target, log, control)
        await isReady(opened.frames)
      })
      if (opened) return opened
    } catch (error) {
      opened?.close()
      control.disconnect()
      if (error instanceof LeadlineError && error.code === 'CONFIG_INVALID') throw error
    }
    const { message, code, name } = lastError
    throw unavailable(url, message || code || name, lastError)
  }

  /** A connection of its own, for reads that block. Fails at once while Redis is away, as the others do. */
  blocking(): Redis {
    return this.#own(createRedis(this.#target, { ...failFast, socketTimeout: blockingSilenceMs }))
  }

  /** A connection of its own that waits for Redis however long it is away, as BullMQ wants it. */
  waiting(): Redis {
    return this.#own(
      createRedis(this.#target, { maxRetriesPerRequest: null, socketTimeout: blockingSilenceMs })
    )
  }

  /** Append to a stream; null if `flags` forbid to create it. */
  append(append: Append): Promise<string | null> {
    return this.frames.sendCommand(new AppendCommand(append)) as Promise<string | null>
  }

  /** Of frames and events, handed over and not taken by the operating system yet. */
  get unsentBytes(): number {
    return this.frames.stream?.writableLength ?? 0
  }

  /** Whether frames can be sent just now. */
  get isUp(): boolean {
    return this.frames.status === 'ready'
  }

  /**
   * How often frames were given a connection. Redis may have come back as it was a while ago: what it has answered over one
   * before may be forgotten.
   */
  get frameConnections(): number {
    return this.#frameConnections
  }

  /** How often it was away. */
  get outages(): number {
    return this.#outages
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** The failure of a command as STORE_UNAVAILABLE. */
  unavailable(cause: unknown): LeadlineError {
    return unavailable(this.#target.url, connectionLost, cause)
  }

  close(): void {
    this.#closed = true
    for (const redis of [this.control, ...this.#others]) redis.disconnect()
  }

  /** What we wrote to is no master any more, or has not our keys: all connections are made anew, and find who is and has. */
  #isElsewhere(error: Error): boolean {
    if (!/^(READONLY|MOVED)/.test(error.message)) return false
    // Whatever else is refused before the connections are closed says the same.
    if (performance.now() - this.#leftAtMs < disconnectTimeoutMs) return false
    this.#leftAtMs = performance.now()
    for (const redis of [this.control, ...this.#others]) if (redis.status === 'ready') redis.disconnect(true)
    // That of BullMQ is its own.
    return true
  }

  #own(redis: Redis): Redis {
    redis.options.reconnectOnError = (error) => this.#isElsewhere(error)
    redis.on('error', (error) => this.#log.debug({ reason: error.message }, 'a connection to Redis'))
    this.#others.push(redis)
    return redis
  }

  #noteAway(): void {
    if (this.#closed || this.#isAway) return
    this.#isAway = true
    this.#outages += 1
    this.#log.warn({ reason: this.unavailable(null).message }, 'Redis is away')
  }

  #noteBack(): void {
    if (this.#isAway) this.#log.info({}, 'Redis is back')
    this.#isAway = false
  }
}

/** Redis answered, and the answer was no: OOM, WRONGPASS and the like. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/** A refusal that ends by itself: a failover is under way, or a server that was started just now reads what it kept. */
export function isPassing(error: unknown): boolean {
  return (
    isRefusal(error) && /^(READONLY|MOVED|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)/.test(error.message)
  )
}

function isReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve()
  return new Promise((resolve) => redis.once('ready', resolve))
}

async function withDeadline(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LeadlineError('STORE_UNAVAILABLE', 'no answer')), connectTimeoutMs)
  })
  try {
    await Promise.race([work(), deadline])
  } finally {
    clearTimeout(timer)
  }
}

function unavailable(url: string, reason: string, cause?: unknown): LeadlineError {
  const said = isRefusal(cause)
    ? `refuses: ${cause.message}; mend that there`
    : `cannot be reached (${reason}); start it`
  const detail = `Redis at ${withoutPassword(url)} ${said}, or correct REDIS_URL`
  return new LeadlineError('STORE_UNAVAILABLE', detail, cause === undefined ? {} : { cause })
}
