import { LeadlineError } from '../../errors.ts'
import type { Meter, UsageEntry } from '../../metering/measures.ts'
import { RedisScripts } from '../../sessions/index.ts'
import type { RedisConnections } from '../../sessions/index.ts'
import { sendCount, usageScripts } from './count-command.ts'
import type { UsageKeys } from './usage-keys.ts'

interface Uncounted {
  entry: UsageEntry
  done: (isNew: boolean) => void
  give: (reason: LeadlineError) => void
}

/** How often what Redis did not take is tried again. */
const retryMs = 100

/**
 * What a worker counts. It goes over the connection that its events go over, before them: what Redis has of an outcome, it has
 * counted. What it did not answer is sent again as soon as the connection is there, before anything else is; and since of one
 * mark a later number leaves out the earlier ones, none of these is counted before those on their way.
 */
export class RedisMeter implements Meter {
  readonly #redis: RedisConnections
  readonly #keys: UsageKeys
  readonly #scripts: RedisScripts
  /** On their way or refused, in order, by the name of their mark. */
  readonly #uncounted = new Map<string, Uncounted[]>()
  readonly #onReady = (): void => this.#again()
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  /** Closing the connections stays with whoever opened them. */
  constructor(redis: RedisConnections, keys: UsageKeys) {
    this.#redis = redis
    this.#keys = keys
    this.#scripts = new RedisScripts(redis.frames, usageScripts)
    redis.frames.prependListener('ready', this.#onReady)
  }

  count(entry: UsageEntry): Promise<boolean> {
    return new Promise((done, give) => {
      const queue = this.#uncounted.get(entry.mark.name) ?? []
      this.#uncounted.set(entry.mark.name, queue)
      const before = queue.at(-1)
      const uncounted = { entry, done, give }
      queue.push(uncounted)
      this.#send(uncounted, before)
    })
  }

  /** What is not counted by now is not. Twice without harm. */
  close(): void {
    this.#isClosed = true
    this.#redis.frames.off('ready', this.#onReady)
    if (this.#timer !== null) clearTimeout(this.#timer)
    const left = new LeadlineError('STORE_UNAVAILABLE', 'The worker has left Redis')
    for (const { give } of [...this.#uncounted.values()].flat()) give(left)
    this.#uncounted.clear()
  }

  #send(uncounted: Uncounted, before: Uncounted | undefined): void {
    const after = before?.entry.mark.number ?? null
    sendCount(this.#scripts, this.#keys, { entry: uncounted.entry, after }).then(
      (said) => (said === 'gap' ? this.#retry() : this.#counted(uncounted, said === 'counted')),
      () => this.#retry()
    )
  }

  #counted(uncounted: Uncounted, isNew: boolean): void {
    const { name } = uncounted.entry.mark
    const left = this.#uncounted.get(name)?.filter((one) => one !== uncounted) ?? []
    if (left.length > 0) this.#uncounted.set(name, left)
    else this.#uncounted.delete(name)
    uncounted.done(isNew)
  }

  #retry(): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      if (this.#redis.isUp) this.#again()
      else this.#retry()
    }, retryMs)
  }

  /** What was counted meanwhile is left out by its mark. */
  #again(): void {
    for (const queue of this.#uncounted.values())
      for (const [i, uncounted] of queue.entries()) this.#send(uncounted, queue[i - 1])
  }
}
