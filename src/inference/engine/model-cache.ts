import type { Logger } from 'pino'
import { planKey } from '../executor.ts'
import type { Executor, ModelHandle, Plan } from '../executor.ts'

interface Entry {
  plan: Plan
  /** Null before the first load, and after one that failed or was lost. */
  loading: Promise<ModelHandle> | null
  /** Known once loaded, so that an unload goes out before a later load of the same plan can. */
  model: ModelHandle | null
  /** Leases, and those who wait for one. A loss of the executor takes the model from them, not the claim. */
  users: number
}

/** A loaded model in use. Release it once, after its states are freed. */
export interface ModelLease {
  model: ModelHandle
  release: () => void
}

/**
 * The models an executor holds. Loading takes about a second, so a few that nobody uses stay for the next session of that
 * size; the least recently used beyond those are unloaded, or a client that keeps changing its resolution would fill the
 * memory with networks.
 */
export class ModelCache {
  readonly #executor: Executor
  readonly #maxIdle: number
  readonly #log: Logger
  /** In order of last use. */
  #entries = new Map<string, Entry>()

  constructor(executor: Executor, maxIdle: number, log: Logger) {
    this.#executor = executor
    this.#maxIdle = maxIdle
    this.#log = log
  }

  /** Rejects with what `load` throws; a failed load is tried anew by the next caller. */
  async acquire(plan: Plan): Promise<ModelLease> {
    const key = planKey(plan)
    const entry = this.#entries.get(key) ?? { plan, loading: null, model: null, users: 0 }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    try {
      const model = await (entry.loading ??= this.#load(entry))
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
      entry.loading = isWanted ? this.#load(entry) : null
    }
    this.#trim()
  }

  #load(entry: Entry): Promise<ModelHandle> {
    const loading = this.#executor.load(entry.plan)
    const settle = (model: ModelHandle | null): void => {
      if (entry.loading !== loading) return
      entry.model = model
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
    for (const [key, { loading }] of unused) if (loading === null) this.#entries.delete(key)
    const idle = unused.filter(([, { model }]) => model !== null)
    for (const [key, { model }] of idle.slice(0, Math.max(0, idle.length - this.#maxIdle))) {
      this.#entries.delete(key)
      this.#unload(model!, key)
    }
  }

  #unload(model: ModelHandle, key: string): void {
    this.#executor
      .unload(model)
      .catch((error: unknown) => this.#log.warn({ err: error, key }, 'could not unload a model'))
  }
}
