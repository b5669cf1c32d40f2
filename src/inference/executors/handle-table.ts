import { planKey } from '../executor.ts'
import type { ModelHandle, Plan, StateHandle } from '../executor.ts'
import { failed } from './refusals.ts'

/**
 * What an executor holds, by handle: networks, each plan's once, and their states. It closes nothing: what is taken out is
 * the taker's to free.
 */
export class HandleTable<Network, State> {
  readonly #networks = new Map<ModelHandle, { key: string; loading: Promise<Network> }>()
  readonly #states = new Map<StateHandle, { model: ModelHandle; state: State }>()
  #lastHandle = 0
  #isClosed = false

  /** A plan that is loaded, or being loaded, keeps its handle; one whose `load` fails is forgotten. */
  async addNetwork(plan: Plan, load: () => Promise<Network>): Promise<ModelHandle> {
    this.#refuseClosed()
    const key = planKey(plan)
    const known = [...this.#networks].find(([, entry]) => entry.key === key)
    if (known) {
      await known[1].loading
      return known[0]
    }
    const handle = this.#newHandle()
    const loading = load()
    this.#networks.set(handle, { key, loading })
    try {
      await loading
    } catch (error) {
      this.#networks.delete(handle)
      throw error
    }
    return handle
  }

  /** Throws EXECUTOR_FAILED when there is none, and after `close`. */
  network(handle: ModelHandle): Promise<Network> {
    this.#refuseClosed()
    const entry = this.#networks.get(handle)
    if (entry === undefined) throw failed(`Model ${handle} is not loaded; load its plan first`)
    return entry.loading
  }

  addState(model: ModelHandle, state: State): StateHandle {
    const handle = this.#newHandle()
    this.#states.set(handle, { model, state })
    return handle
  }

  /** Throws EXECUTOR_FAILED when there is none, or when it is not of `model`; null: of whichever it is. */
  state(handle: StateHandle, model: ModelHandle | null = null): State {
    const entry = this.#entry(handle)
    if (model !== null && entry.model !== model) throw failed(`State ${handle} is of another model`)
    return entry.state
  }

  /** The model that a state is of. */
  ownerOf(handle: StateHandle): ModelHandle {
    return this.#entry(handle).model
  }

  /** Undefined for an unknown handle, as of one that was taken before. */
  takeState(handle: StateHandle): State | undefined {
    const entry = this.#states.get(handle)
    this.#states.delete(handle)
    return entry?.state
  }

  /** A network and its states; null for an unknown handle. */
  takeNetwork(handle: ModelHandle): { loading: Promise<Network>; states: State[] } | null {
    const entry = this.#networks.get(handle)
    if (!entry) return null
    this.#networks.delete(handle)
    const own = [...this.#states].filter(([, { model }]) => model === handle)
    for (const [state] of own) this.#states.delete(state)
    return { loading: entry.loading, states: own.map(([, { state }]) => state) }
  }

  /** From now on everything is refused. The models that are to be taken out; null when it was closed before. */
  close(): ModelHandle[] | null {
    if (this.#isClosed) return null
    this.#isClosed = true
    return [...this.#networks.keys()]
  }

  #entry(handle: StateHandle): { model: ModelHandle; state: State } {
    const entry = this.#states.get(handle)
    if (entry === undefined) throw failed(`There is no state ${handle}; it was freed or never made`)
    return entry
  }

  #newHandle(): number {
    this.#lastHandle += 1
    return this.#lastHandle
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw failed('The executor is closed')
  }
}
