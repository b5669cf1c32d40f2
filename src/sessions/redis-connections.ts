import { Redis } from 'ioredis'
import { LeadlineError } from '../errors.ts'
import { AppendCommand } from './append-command.ts'
import type { Append } from './append-command.ts'
import type { Log } from './log.ts'
import { RedisScripts } from './redis-scripts.ts'
import type { HealthWatcher, StoreHealth } from './store-health.ts'

const connectionLost = 'the connection was lost'
const connectTimeoutMs = 3000
const disconnectTimeoutMs = 200
const longestRetryMs = 1000
const probeMs = 500
/** Probes without an answer after which the connection counts as dead, though nothing closed it. */
const maxUnansweredProbes = 3

/**
 * One process's connections to Redis, and whether they work. Commands fail at once while Redis is away instead of
 * waiting for it: whoever issued them must be able to say so to a client. Closed by whoever opened it.
 */
export class RedisConnections implements StoreHealth {
  /** For everything that does not block. */
  readonly commands: Redis
  readonly scripts: RedisScripts
  readonly #url: string
  readonly #log: Log
  readonly #watchers = new Set<HealthWatcher>()
  readonly #others: Redis[] = []
  readonly #probeTimer: NodeJS.Timeout
  #unansweredProbes = 0
  #reason: string | null = null
  #closed = false

  private constructor(url: string, log: Log, commands: Redis) {
    this.#url = url
    this.#log = log
    this.commands = commands
    this.scripts = new RedisScripts(commands)
    commands.on('close', () => this.#goDown(connectionLost))
    commands.on('ready', () => this.#comeUp())
    this.#probeTimer = setInterval(() => this.#probe(), probeMs)
  }

  /** Throws STORE_UNAVAILABLE when Redis does not answer within seconds; nothing is left open then. */
  static async open(url: string, log: Log): Promise<RedisConnections> {
    let lastError = 'no answer'
    const commands = create(url, { lazyConnect: true, ...failFast })
    commands.on(
      'error',
      (error: NodeJS.ErrnoException) => (lastError = error.message || error.code || error.name)
    )
    try {
      await withDeadline(commands.connect(), connectTimeoutMs)
    } catch {
      commands.disconnect()
      throw unavailable(url, lastError)
    }
    return new RedisConnections(url, log, commands)
  }

  /** A connection of its own, for reads that block. Fails at once while Redis is away, as `commands` does. */
  blocking(): Redis {
    return this.#own(create(this.#url, failFast))
  }

  /** A connection of its own that waits for Redis however long it is away, as BullMQ wants it. */
  waiting(): Redis {
    return this.#own(create(this.#url, { maxRetriesPerRequest: null }))
  }

  /** Append to a stream; null if `flags` forbid to create it. */
  append(append: Append): Promise<string | null> {
    return this.commands.sendCommand(new AppendCommand(append)) as Promise<string | null>
  }

  /** Of frames and events, handed over and not taken by the operating system yet. */
  get unsentBytes(): number {
    return this.commands.stream?.writableLength ?? 0
  }

  reason(): string | null {
    return this.#reason
  }

  watch(watcher: HealthWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** The failure of a command as STORE_UNAVAILABLE. */
  unavailable(cause: unknown): LeadlineError {
    const answered = this.commands.status === 'ready' && cause instanceof Error
    return unavailable(this.#url, answered ? cause.message : connectionLost, cause)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#probeTimer)
    for (const redis of [this.commands, ...this.#others]) redis.disconnect()
  }

  #own(redis: Redis): Redis {
    redis.on('error', (error) => this.#log.debug({ reason: error.message }, 'a connection to Redis'))
    this.#others.push(redis)
    return redis
  }

  #probe(): void {
    if (this.commands.status !== 'ready') return
    if (++this.#unansweredProbes > maxUnansweredProbes) {
      // Half-open: nobody told us. The waiting connections go to the same place.
      this.#unansweredProbes = 0
      for (const redis of [this.commands, ...this.#others]) redis.disconnect(true)
      return
    }
    this.commands.ping().then(
      () => (this.#unansweredProbes = 0),
      () => {}
    )
  }

  #goDown(reason: string): void {
    if (this.#closed || this.#reason !== null) return
    const error = unavailable(this.#url, reason)
    this.#reason = error.message
    this.#log.warn({ reason: error.message }, 'Redis is away')
    for (const watcher of [...this.#watchers]) watcher.down(error.message)
  }

  #comeUp(): void {
    this.#unansweredProbes = 0
    if (this.#reason === null) return
    this.#reason = null
    this.#log.info({}, 'Redis is back')
    for (const watcher of [...this.#watchers]) watcher.up()
  }
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

function create(url: string, options: WaitOptions): Redis {
  return new Redis(url, {
    connectTimeout: connectTimeoutMs,
    // A Redis that hangs does not take part in closing a connection either.
    disconnectTimeout: disconnectTimeoutMs,
    retryStrategy: (attempt) => Math.min(100 * attempt, longestRetryMs),
    ...options
  })
}

async function withDeadline(promise: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LeadlineError('STORE_UNAVAILABLE', 'no answer')), deadlineMs)
  })
  try {
    await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

function unavailable(url: string, reason: string, cause?: unknown): LeadlineError {
  const detail = `Redis at ${withoutPassword(url)} cannot be reached (${reason}); start it or correct REDIS_URL`
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
