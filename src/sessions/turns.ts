import { setTimeout } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import type { Keys } from './keys.ts'
import type { Log } from './log.ts'
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
/** BullMQ waits for its connections, and those for Redis. */
const closeTimeoutMs = 5000
/** Nobody listens to BullMQ's events. */
const maxEvents = 10
/** A live session holds a job for as long as its turn lasts, so this must be above any number of sessions. */
const concurrency = 100_000

function openQueue(
  { redis, keys, log }: { redis: RedisConnections; keys: Keys; log: Log },
  workerId: string
): Queue<Turn> {
  const queue = new Queue<Turn>(workerId, {
    ...{ connection: redis.commands, prefix: keys.turnPrefix() },
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
  readonly #options: { redis: RedisConnections; keys: Keys; log: Log }
  readonly #queues = new Map<string, Queue<Turn>>()

  constructor(options: { redis: RedisConnections; keys: Keys; log: Log }) {
    this.#options = options
  }

  /** `id` is the same for the same turn, and BullMQ takes a job id only once: no turn is queued twice. */
  async add(workerId: string, sessionId: string, id: string): Promise<void> {
    await this.#queue(workerId).add('turn', { sessionId }, { jobId: `${sessionId}-${id}`, ...kept })
  }

  /** Remove the queue of a worker that is gone. */
  async remove(workerId: string): Promise<void> {
    const queue = this.#queue(workerId)
    this.#queues.delete(workerId)
    await removeQueue(queue)
  }

  async close(): Promise<void> {
    const queues = [...this.#queues.values()]
    this.#queues.clear()
    await Promise.all(queues.map((queue) => queue.close()))
  }

  #queue(workerId: string): Queue<Turn> {
    const known = this.#queues.get(workerId)
    if (known) return known
    const queue = openQueue(this.#options, workerId)
    this.#queues.set(workerId, queue)
    return queue
  }
}

interface TurnWorkerOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
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
      // A stalled turn is a lost lease, and the lease says so in seconds; a second run would only race the first.
      skipStalledCheck: true
    })
    this.#worker.on('error', (error) => log.debug({ reason: error.message }, 'the queue of turns'))
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady()
  }

  /** Turns must have ended before. Does not wait for Redis when it is away. */
  async close(): Promise<void> {
    const { log, redis, workerId } = this.#options
    const timer = new AbortController()
    const waited = setTimeout(closeTimeoutMs, 'late' as const, { signal: timer.signal }).catch(
      () => 'closed' as const
    )
    const closed = this.#worker.close(redis.reason() !== null).then(() => 'closed' as const)
    if ((await Promise.race([closed, waited])) === 'late')
      log.warn({ workerId }, 'BullMQ did not close in time')
    timer.abort()
    if (redis.reason() !== null) return
    await removeQueue(openQueue(this.#options, workerId)).catch((error: unknown) =>
      log.debug({ err: error }, 'the queue is left to the gateways to remove')
    )
  }
}
