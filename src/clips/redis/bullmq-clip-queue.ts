import { DelayedError, Queue, Worker } from 'bullmq'
import type { Job } from 'bullmq'
import type { Log, RedisConnections, RedisScripts } from '../../sessions/index.ts'
import { mortalQueues, patiently, queueKeys as plainQueueKeys } from '../../sessions/index.ts'
import type { ClipQueue, RunTurn, TurnEnd } from '../queue/clip-queue.ts'
import { clipTtlMs } from './clip-keys.ts'
import type { ClipKeys } from './clip-keys.ts'

/** Of one clip. */
interface ClipJob {
  turn: number
}

interface Served {
  id: string
  abort: AbortController
  /** The run, which needs no Redis to end. */
  ended: Promise<TurnEnd>
  /** And the job is back in line, if it is to be: before that BullMQ removes it for nobody. */
  left: Promise<unknown>
}

/** What BullMQ keeps of this queue, without the jobs' own keys. */
const queueKeys = [...plainQueueKeys, 'prioritized', 'pc']
/** How long a turn outlives its process: this, and as long again until somebody looks. */
const lockMs = 5000
/** Whether a clip may be what its runners die of, the book says. */
const maxStalledCount = 1_000_000
/** How long BullMQ waits after an answer such as OOM or READONLY. */
const retryMs = 500
/** Nobody listens to BullMQ's events. */
const maxEvents = 10
/** BullMQ knows no higher number of a priority. */
const lastPriority = 2 ** 21 - 1

export interface BullmqClipQueueOptions {
  redis: RedisConnections
  scripts: RedisScripts
  keys: ClipKeys
  /** Id of the storage that has the clips: who cannot reach that serves none of them. */
  storage: string
  log: Log
}

/** The queue of all gateways that share a storage. A job is a clip, its priority the turn. */
export class BullmqClipQueue implements ClipQueue {
  readonly #options: BullmqClipQueueOptions
  readonly #queue: Queue<ClipJob>
  #worker: Worker<ClipJob> | null = null
  #served: Served | null = null
  #isClosed = false

  constructor(options: BullmqClipQueueOptions) {
    this.#options = options
    const { redis, keys, storage, log } = options
    this.#queue = new Queue<ClipJob>(storage, {
      ...{
        connection: mortalQueues(redis.frames, clipTtlMs),
        prefix: keys.queuePrefix(),
        skipMetasUpdate: true
      },
      streams: { events: { maxLen: maxEvents } }
    })
    this.#queue.on('error', (error) => log.debug({ reason: error.message }, 'the queue of clips'))
  }

  async add(id: string, owner: string | null): Promise<void> {
    const { redis, keys, scripts, storage } = this.#options
    await patiently(redis, async () => {
      if ((await this.#queue.getJob(id)) === undefined) {
        const line = [keys.turns(storage)]
        const turn = Number(await scripts.run('takeClipTurn', line, [`of:${owner ?? ''}`, clipTtlMs]))
        const priority = Math.min(turn, lastPriority)
        await this.#queue.add(
          'clip',
          { turn },
          { jobId: id, priority, removeOnComplete: true, removeOnFail: true }
        )
      }
      await this.#renew()
    })
  }

  waiting(): Promise<number> {
    const { redis } = this.#options
    return patiently(redis, () => this.#queue.getJobCountByTypes('waiting', 'prioritized', 'delayed'))
  }

  async counts() {
    const counts = await this.#queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed')
    const { waiting = 0, prioritized = 0, active = 0, delayed = 0 } = counts
    return { waiting: waiting + prioritized, active, delayed }
  }

  serve(run: RunTurn): void {
    const { redis, keys, storage, log } = this.#options
    this.#worker = new Worker<ClipJob>(storage, (job, token) => this.#take(run, job, token), {
      ...{ connection: mortalQueues(redis.waiting(), clipTtlMs), prefix: keys.queuePrefix() },
      ...{ concurrency: 1, runRetryDelay: retryMs },
      ...{ lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount, drainDelay: 1 }
    })
    this.#worker.on('error', (error) => log.debug({ reason: error.message }, 'the queue of clips'))
  }

  async cancel(id: string): Promise<void> {
    const served = this.#served?.id === id ? this.#served : null
    served?.abort.abort()
    await served?.left
    // One that somebody serves cannot be removed; the book has taken the clip from him.
    await this.#queue.remove(id).catch(() => 0)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#served?.abort.abort()
    await this.#served?.ended
    await this.#worker?.close(!this.#options.redis.isUp).catch(() => undefined)
    await this.#queue.close().catch(() => undefined)
  }

  async #take(run: RunTurn, job: Job<ClipJob>, token: string | undefined): Promise<void> {
    const id = job.id ?? ''
    const abort = new AbortController()
    if (this.#isClosed) abort.abort()
    const ended = this.#serve(run, job, abort.signal)
    const left = this.#leave(job, ended, token)
    this.#served = { id, abort, ended, left: left.catch(() => undefined) }
    await left.finally(() => (this.#served = null))
  }

  async #leave(job: Job<ClipJob>, ended: Promise<TurnEnd>, token: string | undefined): Promise<void> {
    const end = await ended
    if (end === 'over') return
    await job.moveToDelayed(Date.now() + end.againInMs, token)
    await this.#renew().catch(() => undefined)
    throw new DelayedError()
  }

  async #serve(run: RunTurn, job: Job<ClipJob>, signal: AbortSignal) {
    const { keys, scripts, storage, log } = this.#options
    const ignore = (error: unknown) => log.debug({ err: error, clip: job.id }, 'the job of a clip')
    await scripts.run('serveClipTurn', [keys.turns(storage)], [job.data.turn, clipTtlMs]).catch(ignore)
    await this.#renew().catch(ignore)
    const tell = (progress: object) => void job.updateProgress(progress).catch(ignore)
    return run({ id: job.id ?? '', signal, tell })
  }

  /** Prolong everything of the queue. */
  async #renew(): Promise<void> {
    const { redis, keys, storage } = this.#options
    await redis.frameScripts.run('keepQueue', [], [keys.queueBase(storage), clipTtlMs, ...queueKeys])
  }
}
