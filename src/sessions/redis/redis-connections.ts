import { Redis } from 'ioredis'
import { LeadlineError } from '../../errors.ts'
import { AppendCommand } from './append-command.ts'
import type { Append } from './append-command.ts'
import type { Log } from '../log.ts'
import { RedisScripts } from './redis-scripts.ts'
import { checkRedisVersion } from './redis-version.ts'

const connectionLost = 'the connection was lost'
const connectTimeoutMs = 3000
const disconnectTimeoutMs = 200
const longestRetryMs = 1000
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
  readonly #url: string
  readonly #log: Log
  readonly #others: Redis[] = []
  #isAway = false
  #closed = false

  private constructor(url: string, log: Log, control: Redis) {
    this.#url = url
    this.#log = log
    this.control = control
    this.controlScripts = new RedisScripts(control)
    this.frames = this.#own(create(url, { ...failFast, socketTimeout: framesSilenceMs }))
    this.frameScripts = new RedisScripts(this.frames)
    control.on('close', () => this.#noteAway())
    control.on('ready', () => this.#noteBack())
  }

  /** Throws STORE_UNAVAILABLE when Redis does not answer within seconds, CONFIG_INVALID when it is too old; nothing is left open. */
  static async open(url: string, log: Log): Promise<RedisConnections> {
    const control = create(url, { lazyConnect: true, ...failFast, socketTimeout: controlSilenceMs })
    let lastError: NodeJS.ErrnoException = new Error('no answer')
    control.on('error', (error: NodeJS.ErrnoException) => (lastError = error))
    let opened: RedisConnections | undefined
    try {
      await withDeadline(async () => {
        await control.connect()
        await checkRedisVersion(control)
        opened = new RedisConnections(url, log, control)
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
    return this.#own(create(this.#url, { ...failFast, socketTimeout: blockingSilenceMs }))
  }

  /** A connection of its own that waits for Redis however long it is away, as BullMQ wants it. */
  waiting(): Redis {
    return this.#own(create(this.#url, { maxRetriesPerRequest: null, socketTimeout: blockingSilenceMs }))
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

  get isClosed(): boolean {
    return this.#closed
  }

  /** The failure of a command as STORE_UNAVAILABLE. */
  unavailable(cause: unknown): LeadlineError {
    return unavailable(this.#url, connectionLost, cause)
  }

  close(): void {
    this.#closed = true
    for (const redis of [this.control, ...this.#others]) redis.disconnect()
  }

  #own(redis: Redis): Redis {
    redis.on('error', (error) => this.#log.debug({ reason: error.message }, 'a connection to Redis'))
    this.#others.push(redis)
    return redis
  }

  #noteAway(): void {
    if (this.#closed || this.#isAway) return
    this.#isAway = true
    this.#log.warn({ reason: this.unavailable(null).message }, 'Redis is away')
  }

  #noteBack(): void {
    if (this.#isAway) this.#log.info({}, 'Redis is back')
    this.#isAway = false
  }
}

/** Redis answered, and the answer was no: OOM, READONLY and the like. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/** What is unanswered when the connection breaks fails; whether to send it again is for the sender to say. */
const failFast: WaitOptions = {
  ...{ maxRetriesPerRequest: 0, enableOfflineQueue: false },
  autoResendUnfulfilledCommands: false
}

interface WaitOptions {
  lazyConnect?: boolean
  /** null: wait for Redis however long it takes. */
  maxRetriesPerRequest: number | null
  enableOfflineQueue?: boolean
  autoResendUnfulfilledCommands?: boolean
}

function create(url: string, options: WaitOptions & { socketTimeout: number }): Redis {
  return new Redis(url, {
    connectTimeout: connectTimeoutMs,
    // A Redis that hangs does not take part in closing a connection either.
    disconnectTimeout: disconnectTimeoutMs,
    retryStrategy: (attempt) => Math.min(100 * attempt, longestRetryMs),
    // The address may lead to the new master by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...options
  })
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

/** A Redis URL as it may be shown: where it is, nothing of who. One that cannot be read may have a password anywhere. */
export function withoutPassword(url: string): string {
  const { protocol, host, pathname } = URL.canParse(url)
    ? new URL(url)
    : { protocol: '', host: '', pathname: '' }
  return protocol === 'redis:' || protocol === 'rediss:'
    ? `${protocol}//${host}${pathname}`
    : 'the address in REDIS_URL'
}
