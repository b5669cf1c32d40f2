import { Queue, Worker } from 'bullmq'
import { until } from '../../stop-time.ts'
import type { Keys } from './keys.ts'
import type { Log } from '../log.ts'
import { blockSeconds } from './redis-connections.ts'
import type { RedisConnections } from './redis-connections.ts'

/**
 * A turn is one job of BullMQ that says "this session has something in its mailbox". Each worker has its own queue, and
 * that is what makes a session stick to its worker. Jobs carry ids only: BullMQ keeps data as JSON.
 */
interface Turn {
  sessionId: string
}

/** Finished jobs are of no use but to people who look. */
const kept = { removeOnComplete: { count: 100 }, removeOnFail: { count: 100 } }
/** Nobody listens to BullMQ's events. */
const maxEvents = 10
/** A live session holds a job for as long as its turn lasts, so this must be above any number of sessions. */
const concurrency = 100_000
/** How long BullMQ waits after an answer such as OOM or READONLY. */
const retryMs = 500
/** BullMQ gives its keys no life. These are those of a queue, without the jobs' own. */
const queueKeys = [
  'meta',
  'id',
  'marker',
  'events',
  'wait',
  'active',
  'completed',
  'failed',
  'stalled',
  'delayed'
]
const queueTtlMs = 600_000

interface TurnOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
}

function openQueue({ redis, keys, log }: TurnOptions, workerId: string): Queue<Turn> {
  const queue = new Queue<Turn>(workerId, {
    ...{ connection: redis.frames, prefix: keys.turnPrefix(), skipMetasUpdate: true },
    streams: { events: { maxLen: maxEvents } }
  })
  queue.on('error', (error) => log.debug({ reason: error.message }, 'the queue of turns'))
  return queue
}

/** Remove a queue with everything in it. */
async function removeQueue(queue: Queue<Turn>): Promise<void> {
  await queue.obliterate({ force: true })
  await queue.close()
}

/** The gateway's side: puts turns into workers' queues. */
export class TurnQueues {
  readonly #options: TurnOptions
  readonly #queues = new Map<string, Queue<Turn>>()

  constructor(options: TurnOptions) {
    this.#options = options
  }

  /** BullMQ takes a job id only once: the same turn is never queued twice. */
  async add(workerId: string, sessionId: string, id: string): Promise<void> {
    const jobId = `${sessionId}-${id}`
    const queue = this.#queue(workerId)
    try {
      await queue.add('turn', { sessionId }, { jobId, ...kept })
    } catch (error) {
      // One whose first look at Redis failed would fail for ever.
      if (this.#queues.get(workerId) === queue) this.#queues.delete(workerId)
      await queue.close().catch(() => {})
      throw error
    }
    const { redis, keys } = this.#options
    const values = [keys.turnBase(workerId), queueTtlMs, ...queueKeys, jobId]
    await redis.frameScripts.run('expireTurns', [], values)
  }

  /** Remove the queue of a worker that is gone. */
  async remove(workerId: string): Promise<void> {
    const queue = this.#queue(workerId)
    this.#queues.delete(workerId)
    await removeQueue(queue)
  }

  /** A queue here listens on the connection for as long as it is open. */
  async keepOnly(workerIds: ReadonlySet<string>): Promise<void> {
    const others = [...this.#queues].filter(([id]) => !workerIds.has(id))
    for (const [id] of others) this.#queues.delete(id)
    await Promise.all(others.map(([, queue]) => queue.close()))
  }

  async close(): Promise<void> {
    await this.keepOnly(new Set())
  }

  #queue(workerId: string): Queue<Turn> {
    const known = this.#queues.get(workerId)
    if (known) return known
    const queue = openQueue(this.#options, workerId)
    this.#queues.set(workerId, queue)
    return queue
  }
}

interface TurnWorkerOptions extends TurnOptions {
  workerId: string
  /** Called for each turn, which lasts until the promise resolves. */
  run: (sessionId: string) => Promise<void>
}

/** The worker's side: takes turns from its own queue, which goes when the worker goes. */
export class TurnWorker {
  readonly #options: TurnWorkerOptions
  readonly #worker: Worker<Turn>

  constructor(options: TurnWorkerOptions) {
    const { redis, keys, log, workerId, run } = options
    this.#options = options
    this.#worker = new Worker<Turn>(workerId, (job) => run(job.data.sessionId), {
      ...{ connection: redis.waiting(), prefix: keys.turnPrefix(), concurrency, ...kept },
      ...{ drainDelay: blockSeconds, runRetryDelay: retryMs },
      // A stalled turn is a lost lease, and the lease says so in seconds; a second run would only race the first.
      skipStalledCheck: true
    })
    this.#worker.on('error', (error) => log.debug({ reason: error.message }, 'the queue of turns'))
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady()
  }

  /** Prolong everything of the queue. */
  renew(): void {
    const { keys, log, redis, workerId } = this.#options
    const values = [keys.turnBase(workerId), queueTtlMs, ...queueKeys]
    redis.frameScripts
      .run('keepTurns', [], values)
      .catch((error: unknown) => log.debug({ err: error }, 'the queue of turns could not be prolonged'))
  }

  /** Turns must have ended before. Does not wait for Redis when it is away. */
  async close(untilMs: number): Promise<void> {
    const { log, redis, workerId } = this.#options
    let isClosed = false
    await until(
      untilMs,
      this.#worker.close(!redis.isUp).then(() => void (isClosed = true))
    )
    if (!isClosed) log.warn({ workerId }, 'BullMQ did not close in time')
    if (!redis.isUp) return
    await removeQueue(openQueue(this.#options, workerId)).catch((error: unknown) =>
      log.debug({ err: error }, 'the queue is left to the gateways to remove')
    )
  }
}
