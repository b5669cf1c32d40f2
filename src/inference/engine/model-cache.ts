import type { Logger } from 'pino'
import { planKey } from '../executor.ts'
import type { Executor, ModelHandle, Plan } from '../executor.ts'
import { nobody } from '../fairness/fair-gate.ts'
import type { Asker, FairGate } from '../fairness/fair-gate.ts'

interface Entry {
  plan: Plan
  /** Null before a load has begun, and after one that failed or was lost. */
  loading: Promise<ModelHandle> | null
  /** Known once loaded, so that an unload goes out before a later load of the same plan can. */
  model: ModelHandle | null
  /** Leases, and those who wait for one. A loss of the executor takes the model from them, not the claim. */
  users: number
  /** Its last load took as long. */
  loadMs: number
  /** Unloads it if nobody comes; null while it is in use. */
  rest: NodeJS.Timeout | null
  /** Ends the wait of all whose turn to load it has not come: somebody else's has, or nobody wants it any more. */
  waiting: AbortController
}

/** Why the others wait no longer: what one of them was the first to load is for all. */
class Begun {
  readonly loading: Promise<ModelHandle>

  constructor(loading: Promise<ModelHandle>) {
    this.loading = loading
  }
}

export interface ModelCacheOptions {
  executor: Executor
  /** Models kept loaded that nobody uses. */
  maxIdle: number
  /** For so long, by what the load took. */
  idleMs: (loadMs: number) => number
  /** Where loads wait for their turn. */
  loads: FairGate
  log: Logger
}

/** A loaded model in use. Release it once, after its states are freed. */
export interface ModelLease {
  model: ModelHandle
  release: () => void
}

/**
 * The models an executor holds. Loading takes about a second, so a few that nobody uses stay for a while, for the next
 * session of that size; the least recently used beyond those are unloaded, or a client that keeps changing its resolution
 * would fill the memory with networks. Whoever made one closes it.
 */
export class ModelCache {
  readonly #options: ModelCacheOptions
  /** In order of last use. */
  #entries = new Map<string, Entry>()
  #isClosed = false

  constructor(options: ModelCacheOptions) {
    this.#options = options
  }

  /**
   * Rejects with what `load` throws; a failed load is tried anew by the next caller. With the signal's reason where the
   * caller no longer wants it before it is its turn to load.
   */
  async acquire(plan: Plan, asker: Asker, signal?: AbortSignal): Promise<ModelLease> {
    const key = planKey(plan)
    const waiting = new AbortController()
    const entry = this.#entries.get(key) ?? {
      ...{ plan, loading: null, model: null, users: 0, loadMs: 0, rest: null, waiting }
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    this.#stay(entry)
    try {
      const model = await (entry.loading ?? this.#inTurn(entry, asker, signal))
      return { model, release: () => this.#release(entry) }
    } catch (error) {
      this.#release(entry)
      throw error
    }
  }

  /** Every model is gone; those in use are loaded again at once. Leases of before are still to be released. */
  loseAll(): void {
    for (const entry of this.#entries.values()) {
      // A model that was still loading may be what the executor died of.
      const isWanted = entry.users > 0 && entry.model !== null
      entry.model = null
      entry.loading = null
      // Whoever wants it hears of a failure.
      if (isWanted) this.#inTurn(entry, nobody).catch(() => undefined)
    }
    this.#trim()
  }

  /** What nobody uses is left to the executor, which unloads all. Twice without harm. */
  close(): void {
    this.#isClosed = true
    for (const entry of this.#entries.values()) this.#stay(entry)
  }

  /** All who want it wait, each for a turn of its own: the first that comes loads it for all of them. */
  async #inTurn(entry: Entry, asker: Asker, signal?: AbortSignal): Promise<ModelHandle> {
    const { signal: isOver } = entry.waiting
    const ends = signal ? AbortSignal.any([isOver, signal]) : isOver
    try {
      return await this.#options.loads.run(asker, () => this.#load(entry), ends)
    } catch (error) {
      if (error instanceof Begun) return error.loading
      throw error
    }
  }

  #load(entry: Entry): Promise<ModelHandle> {
    const beganMs = performance.now()
    const loading = this.#options.executor.load(entry.plan)
    entry.loading = loading
    entry.waiting.abort(new Begun(loading))
    entry.waiting = new AbortController()
    const settle = (model: ModelHandle | null): void => {
      if (entry.loading !== loading) return
      entry.model = model
      entry.loadMs = performance.now() - beganMs
      if (model === null) entry.loading = null
      this.#trim()
    }
    loading.then(settle, () => settle(null))
    return loading
  }

  #release(entry: Entry): void {
    entry.users -= 1
    this.#trim()
  }

  /** What is still loading is looked at again when it is there. */
  #trim(): void {
    const unused = [...this.#entries].filter(([, { users }]) => users === 0)
    for (const [key, entry] of unused) {
      if (entry.loading !== null) continue
      this.#entries.delete(key)
      this.#stay(entry)
      entry.waiting.abort()
    }
    const idle = unused.filter(([, { model }]) => model !== null)
    const numBeyond = Math.max(0, idle.length - this.#options.maxIdle)
    for (const [key, entry] of idle.slice(0, numBeyond)) this.#unload(key, entry)
    for (const [key, entry] of idle.slice(numBeyond)) this.#rest(key, entry)
  }

  #rest(key: string, entry: Entry): void {
    if (this.#isClosed) return
    const { idleMs } = this.#options
    entry.rest ??= setTimeout(() => this.#unload(key, entry), idleMs(entry.loadMs)).unref()
  }

  #stay(entry: Entry): void {
    if (entry.rest !== null) clearTimeout(entry.rest)
    entry.rest = null
  }

  #unload(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#stay(entry)
    this.#options.executor
      .unload(entry.model!)
      .catch((error: unknown) => this.#options.log.warn({ err: error, key }, 'could not unload a model'))
  }
}
