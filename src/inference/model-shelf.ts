import type { Logger } from 'pino'
import { planKey } from './executor.ts'
import type { Executor, ModelHandle, Plan } from './executor.ts'

interface Entry {
  plan: Plan
  loading: Promise<ModelHandle>
  /** Known once loaded, so that an unload goes out before a later load of the same plan can. */
  model: ModelHandle | null
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
export class ModelShelf {
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
    const entry = this.#entries.get(key) ?? this.#load(plan)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    const model = await entry.loading
    return { model, release: () => this.#release(entry) }
  }

  /** Every model is gone; those in use are loaded again at once. Leases of before may still be released. */
  loseAll(): void {
    const lost = [...this.#entries]
    this.#entries = new Map()
    // A model that was still loading may be what the executor died of.
    for (const [key, { plan, model, users }] of lost) {
      if (users > 0 && model !== null) this.#entries.set(key, this.#load(plan))
    }
  }

  #load(plan: Plan): Entry {
    const entry: Entry = { plan, loading: this.#executor.load(plan), model: null, users: 0 }
    entry.loading.then(
      (model) => (entry.model = model),
      () => this.#forget(entry)
    )
    return entry
  }

  #forget(entry: Entry): void {
    const key = planKey(entry.plan)
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  #release(entry: Entry): void {
    entry.users -= 1
    const idle = [...this.#entries].filter(([, candidate]) => candidate.users === 0)
    for (const [key, { model }] of idle.slice(0, Math.max(0, idle.length - this.#maxIdle))) {
      this.#entries.delete(key)
      if (model !== null) this.#unload(model, key)
    }
  }

  #unload(model: ModelHandle, key: string): void {
    this.#executor
      .unload(model)
      .catch((error: unknown) => this.#log.warn({ err: error, key }, 'could not unload a model'))
  }
}
