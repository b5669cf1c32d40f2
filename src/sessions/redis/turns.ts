import { Queue } from 'bullmq'
import type { Keys } from './keys.ts'
import type { Log } from '../log.ts'
import { mortalQueues } from './mortal-queues.ts'
import type { RedisConnections } from './redis-connections.ts'

/**
 * A turn is one job of BullMQ that says "this session has something in its mailbox". Each worker has its own queue, and
 * that is what makes a session stick to its worker. Jobs carry ids only: BullMQ keeps data as JSON.
 */
export interface Turn {
  sessionId: string
}

/** Finished jobs are of no use but to people who look. */
export const kept = { removeOnComplete: { count: 100 }, removeOnFail: { count: 100 } }
/** Nobody listens to BullMQ's events. */
const maxEvents = 10
/** What BullMQ keeps of a queue, without the jobs' own keys. */
export const queueKeys = [
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
export const queueTtlMs = 600_000

export interface TurnOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
}

export function openQueue({ redis, keys, log }: TurnOptions, workerId: string): Queue<Turn> {
  const queue = new Queue<Turn>(workerId, {
    ...{
      connection: mortalQueues(redis.frames, queueTtlMs),
      prefix: keys.turnPrefix(),
      skipMetasUpdate: true
    },
    streams: { events: { maxLen: maxEvents } }
  })
  queue.on('error', (error) => log.debug({ reason: error.message }, 'the queue of turns'))
  return queue
}

/** Remove a worker's queue with everything in it. */
export async function removeTurns({ redis, keys }: TurnOptions, workerId: string): Promise<void> {
  await redis.frameScripts.run('removeQueue', [], [keys.turnBase(workerId), ...queueKeys])
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
  }

  /** Remove the queue of a worker that is gone. */
  async remove(workerId: string): Promise<void> {
    const queue = this.#queues.get(workerId)
    this.#queues.delete(workerId)
    await Promise.all([queue?.close(), removeTurns(this.#options, workerId)])
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
