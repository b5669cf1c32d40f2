import type { Logger } from 'pino'
import { planKey } from './executor.ts'
import type { Executor, ModelHandle, Plan } from './executor.ts'

interface Entry {
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
    const entry = this.#entries.get(key) ?? { loading: this.#executor.load(plan), model: null, users: 0 }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users += 1
    try {
      const model = (entry.model = await entry.loading)
      return { model, release: () => this.#release(entry) }
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
  }

  /** Every model is gone. Leases of before may still be released. */
  forgetAll(): void {
    this.#entries = new Map()
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
