import { DelayedError, Queue, UnrecoverableError, Worker } from 'bullmq'
import type { Job } from 'bullmq'
import type { Log, RedisConnections } from '../../sessions/index.ts'
import { mortalQueues, patiently, queueKeys } from '../../sessions/index.ts'
import type { DeadLetter, Delivery } from '../delivery.ts'
import { maxDeadLetters, maxTries } from '../queue/delivery-queue.ts'
import type { DeliveryQueue, DeliveryWork, QueueOptions } from '../queue/delivery-queue.ts'
import { jittered } from '../sending/retries.ts'
import { queueName, queueTtlMs } from './webhook-keys.ts'
import type { WebhookKeys } from './webhook-keys.ts'

/** How long a try outlives its process: this, and as long again until somebody looks. */
const lockMs = 5000
/** That processes died during a try says nothing of its receiver. */
const maxStalledCount = 1_000_000
/** How long BullMQ waits after an answer such as OOM or READONLY. */
const retryMs = 500
/** Nobody listens to BullMQ's events. */
const maxEvents = 10
/** How often everything of the queue is prolonged. */
const renewMs = 3_600_000
const backoff = { type: 'custom' }

export interface BullmqDeliveryQueueOptions extends QueueOptions {
  redis: RedisConnections
  keys: WebhookKeys
  log: Log
}

/** The queue of all gateways of a Redis. A job is a delivery under its id; dead letters are the jobs that have failed. */
export class BullmqDeliveryQueue implements DeliveryQueue {
  readonly #options: BullmqDeliveryQueueOptions
  readonly #queue: Queue<Delivery>
  readonly #closing = new AbortController()
  readonly #renewing: NodeJS.Timeout
  #worker: Worker<Delivery> | null = null

  constructor(options: BullmqDeliveryQueueOptions) {
    this.#options = options
    const { redis, keys, delaysMs } = options
    this.#queue = new Queue<Delivery>(queueName, {
      ...{
        connection: mortalQueues(redis.frames, queueTtlMs),
        prefix: keys.queuePrefix(),
        skipMetasUpdate: true
      },
      streams: { events: { maxLen: maxEvents } },
      defaultJobOptions: {
        ...{ attempts: delaysMs.length + 1, backoff },
        ...{ removeOnComplete: true, removeOnFail: { count: maxDeadLetters } }
      }
    })
    this.#queue.on('error', this.#ignore)
    this.#renewing = setInterval(() => void this.#renew().catch(this.#ignore), renewMs).unref()
  }

  async add(delivery: Delivery, onSafe: () => Promise<void>): Promise<void> {
    await patiently(this.#options.redis, async () => {
      await this.#queue.add('delivery', delivery, { jobId: delivery.id })
      await this.#renew()
    })
    await onSafe()
  }

  serve({ attempt, onDead }: DeliveryWork): void {
    const { redis, keys, delaysMs, random } = this.#options
    const worker = new Worker<Delivery>(queueName, (job, token) => this.#try(attempt, job, token), {
      ...{ connection: mortalQueues(redis.waiting(), queueTtlMs), prefix: keys.queuePrefix() },
      ...{ concurrency: maxTries, drainDelay: 1 },
      ...{ lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount, runRetryDelay: retryMs },
      settings: { backoffStrategy: (tries) => jittered(delaysMs[tries - 1] ?? 0, random()) }
    })
    worker.on('error', this.#ignore)
    worker.on('completed', () => void this.#renew().catch(this.#ignore))
    worker.on('failed', (job) => {
      void this.#renew().catch(this.#ignore)
      if (job?.finishedOn !== undefined) onDead(letterOf(job))
    })
    this.#worker = worker
  }

  async counts() {
    const counts = await this.#queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = counts
    return { waiting, active, delayed, failed }
  }

  async deadLetters(owner: string | null): Promise<DeadLetter[]> {
    const jobs = await patiently(this.#options.redis, () => this.#queue.getFailed(0, maxDeadLetters - 1))
    // A job may be removed between its place and itself.
    const found = (jobs as (Job<Delivery> | undefined)[]).filter((job) => job !== undefined)
    return found.filter(({ data }) => owner === null || data.owner === owner).map(letterOf)
  }

  async resend(id: string, owner: string | null): Promise<boolean> {
    const job = await patiently(this.#options.redis, () => this.#queue.getJob(id))
    if (job === undefined || (owner !== null && job.data.owner !== owner)) return false
    if (!(await patiently(this.#options.redis, () => job.isFailed()))) return false
    await job.retry('failed', { resetAttemptsMade: true }).catch((error: unknown) => {
      throw this.#options.redis.unavailable(error)
    })
    await this.#renew()
    return true
  }

  async close(): Promise<void> {
    clearInterval(this.#renewing)
    this.#closing.abort()
    await this.#worker?.close(!this.#options.redis.isUp).catch(() => undefined)
    await this.#queue.close().catch(() => undefined)
  }

  async #try(attempt: DeliveryWork['attempt'], job: Job<Delivery>, token: string | undefined): Promise<void> {
    const { signal } = this.#closing
    const end = await attempt(job.data, signal)
    if (end.kind === 'delivered') return
    if (signal.aborted) {
      // For another gateway, or the next life of this one.
      await job.moveToDelayed(Date.now(), token)
      throw new DelayedError()
    }
    throw end.isFinal ? new UnrecoverableError(end.reason) : new Error(end.reason)
  }

  /** Prolong everything of the queue. */
  async #renew(): Promise<void> {
    const { redis, keys } = this.#options
    await redis.frameScripts.run('keepQueue', [], [keys.queueBase(), queueTtlMs, ...queueKeys])
  }

  readonly #ignore = (error: unknown): void =>
    this.#options.log.debug({ err: error }, 'the queue of webhooks; it is tried again')
}

function letterOf({ data, attemptsMade, failedReason, finishedOn = 0 }: Job<Delivery>): DeadLetter {
  return { delivery: data, tries: attemptsMade, reason: failedReason, failedAtMs: finishedOn }
}
