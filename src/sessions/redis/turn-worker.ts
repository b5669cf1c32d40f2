import { Worker } from 'bullmq'
import type { Processor, Queue, WorkerOptions } from 'bullmq'
import { until } from '../../machine/stop-time.ts'
import { Twice } from '../gateway/twice.ts'
import { Canary, canaryName } from './canary.ts'
import type { CanaryTimes } from './canary.ts'
import { mortalQueues } from './mortal-queues.ts'
import { blockSeconds } from './redis-connections.ts'
import { kept, openQueue, queueKeys, queueTtlMs, removeTurns } from './turns.ts'
import type { Turn, TurnOptions } from './turns.ts'

/** A live session holds a job for as long as its turn lasts, so this must be above any number of sessions. */
const concurrency = 100_000
/** How long BullMQ waits after an answer such as OOM or READONLY. */
const retryMs = 500

interface TurnWorkerOptions extends TurnOptions {
  workerId: string
  canary?: CanaryTimes
  /** @default starts one that runs. */
  create?: (name: string, process: Processor<Turn>, options: WorkerOptions) => Worker<Turn>
  /** Called for each turn, which lasts until the promise resolves. */
  run: (sessionId: string) => Promise<void>
}

/**
 * The worker's side: takes turns from its own queue, which goes when the worker goes. A canary shows whether BullMQ still
 * takes any; if it does not, it is started again.
 */
export class TurnWorker {
  readonly #options: TurnWorkerOptions
  readonly #canary: Canary
  readonly #queue: Queue<Turn>
  #worker: Worker<Turn>
  #restarts = 0
  /** Jobs that run, whichever worker of BullMQ took them. */
  readonly #running = new Set<string>()
  readonly #stuck = new Twice()

  constructor(options: TurnWorkerOptions) {
    this.#options = options
    this.#queue = openQueue(options, options.workerId)
    this.#worker = this.#start()
    this.#canary = new Canary({
      ...options.canary,
      release: (id) => this.#release(id),
      isWaiting: async (id) => (await this.#queue.getJob(jobOf(id))) !== undefined,
      isUp: () => options.redis.isUp,
      onSilence: () => this.#startAgain()
    })
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady()
  }

  /** How often it was started again. */
  get restarts(): number {
    return this.#restarts
  }

  counts(): Promise<Record<string, number>> {
    return this.#queue.getJobCounts('waiting', 'active')
  }

  #start(): Worker<Turn> {
    const { redis, keys, log, workerId, run } = this.#options
    const create = this.#options.create ?? ((...values) => new Worker<Turn>(...values))
    const take: Processor<Turn> = async ({ id = '', name, data: { sessionId } }) => {
      if (name === canaryName) return this.#canary.cameBack(sessionId)
      this.#running.add(id)
      await run(sessionId).finally(() => this.#running.delete(id))
    }
    const worker = create(workerId, take, {
      ...{
        connection: mortalQueues(redis.waiting(), queueTtlMs),
        prefix: keys.turnPrefix(),
        concurrency,
        ...kept
      },
      ...{ drainDelay: blockSeconds, runRetryDelay: retryMs },
      // A stalled turn is a lost lease, and the lease says so in seconds; a second run would only race the first.
      skipStalledCheck: true
    })
    worker.on('error', (error) => log.debug({ reason: error.message }, 'the queue of turns'))
    return worker
  }

  /** Turns that run go on; their sessions have what they need. */
  #startAgain(): void {
    const { log, workerId } = this.#options
    log.error({ workerId }, 'BullMQ takes no turns though Redis answers; starting it again')
    this.#restarts += 1
    void this.#worker.close(true).catch(() => {})
    this.#worker = this.#start()
  }

  async #release(id: string): Promise<void> {
    const isKept = { removeOnComplete: true, removeOnFail: true }
    await this.#queue.add(canaryName, { sessionId: id }, { jobId: jobOf(id), ...isKept })
  }

  /**
   * Remove jobs that BullMQ takes for active, and that do not run: it leaves those there that were over when their worker was
   * closed, or whose lock ran out on a machine that was too busy to renew it. What is found twice, and that nobody has locked
   * any more, is removed: before that, BullMQ may still be on its way to remove it itself.
   */
  async sweep(): Promise<void> {
    const { keys, redis, workerId } = this.#options
    const base = keys.turnBase(workerId)
    const active = await redis.frames.lrange(`${base}active`, 0, -1)
    for (const id of this.#stuck.look(active.filter((job) => !this.#running.has(job))))
      if ((await redis.frames.exists(`${base}${id}:lock`)) === 0) await this.#queue.remove(id)
  }

  /** Prolong everything of the queue that is of use still. */
  renew(): void {
    const { keys, log, redis, workerId } = this.#options
    this.sweep().catch((error: unknown) => log.debug({ err: error }, 'the queue of turns could not be swept'))
    const values = [keys.turnBase(workerId), queueTtlMs, ...queueKeys]
    redis.frameScripts
      .run('keepQueue', [], values)
      .catch((error: unknown) => log.debug({ err: error }, 'the queue of turns could not be prolonged'))
  }

  /** Turns must have ended before. Does not wait for Redis when it is away. */
  async close(untilMs: number): Promise<void> {
    const { log, redis, workerId } = this.#options
    this.#canary.stop()
    let isClosed = false
    await until(
      untilMs,
      this.#worker.close(!redis.isUp).then(() => void (isClosed = true))
    )
    if (!isClosed) log.warn({ workerId }, 'BullMQ did not close in time')
    await this.#queue.close().catch(() => {})
    if (!redis.isUp) return
    await removeTurns(this.#options, workerId).catch((error: unknown) =>
      log.debug({ err: error }, 'the queue is left to the gateways to remove')
    )
  }
}

function jobOf(canary: string): string {
  return `${canaryName}-${canary}`
}
