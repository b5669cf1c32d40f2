import { LeadlineError } from '../../errors.ts'
import type {
  Executor,
  ExecutorCaps,
  ModelHandle,
  Plan,
  StateHandle,
  StepResult,
  StepRow
} from '../executor.ts'
import { planKey } from '../executor.ts'
import { CapiModel } from './ort-capi/capi-model.ts'
import type { CapiState } from './ort-capi/capi-state.ts'
import type { DeviceSpec } from './ort-capi/device.ts'
import { Runtime } from './ort-capi/runtime.ts'
import { ringCacheBytes } from './ring-cache-layout.ts'

/** Sessions do not share runs yet. */
const MAX_BATCH = 1

export interface OrtCapiOptions extends DeviceSpec {
  /** Path of libonnxruntime. @default the one that onnxruntime-node ships */
  library?: string
}

interface State {
  model: ModelHandle
  state: CapiState
  /** The step that uses it now, if any. */
  busy: Promise<unknown> | null
}

/**
 * Runs networks through ONNX Runtime's C API: on CUDA and TensorRT with every latent cache in the device's memory, on
 * the CPU by the same code. Runs leave the main thread free.
 */
export class OrtCapiExecutor implements Executor {
  readonly caps: ExecutorCaps
  readonly #runtime: Runtime
  readonly #models = new Map<ModelHandle, { key: string; loading: Promise<CapiModel> }>()
  readonly #states = new Map<StateHandle, State>()
  #lastHandle = 0
  #isClosed = false

  /** Throws EXECUTOR_FAILED when the library cannot be loaded. */
  constructor({ library, ...device }: OrtCapiOptions) {
    this.#runtime = new Runtime(library ?? null, device)
    const { version } = this.#runtime.api.library
    this.caps = { name: 'ort-capi', device: `${device.device}, ONNX Runtime ${version}`, maxBatch: MAX_BATCH }
  }

  async load(plan: Plan): Promise<ModelHandle> {
    this.#refuseClosed()
    if (plan.mode === 'vda-window') throw noWindows()
    const key = planKey(plan)
    const known = [...this.#models].find(([, entry]) => entry.key === key)
    if (known) {
      await known[1].loading
      return known[0]
    }
    const handle = this.#newHandle()
    const loading = CapiModel.load(this.#runtime, plan)
    this.#models.set(handle, { key, loading })
    try {
      await loading
    } catch (error) {
      this.#models.delete(handle)
      throw error
    }
    return handle
  }

  async unload(handle: ModelHandle): Promise<void> {
    const entry = this.#models.get(handle)
    if (!entry) return
    this.#models.delete(handle)
    for (const [state, { model }] of this.#states) if (model === handle) await this.free(state)
    ;(await entry.loading).close()
  }

  stateBytes(plan: Plan): number {
    return ringCacheBytes(plan)
  }

  async newState(handle: ModelHandle): Promise<StateHandle> {
    return this.#keep(handle, (await this.#model(handle)).newState())
  }

  /** Aborting the signal ends a running step with EXECUTOR_FAILED within one operator; the state is as it was. */
  async step(handle: ModelHandle, rows: readonly StepRow[], signal?: AbortSignal): Promise<StepResult[]> {
    const model = await this.#model(handle)
    const [row, ...others] = rows
    if (row === undefined || others.length > 0)
      throw failed(`A step of ort-capi has ${MAX_BATCH} row, not ${rows.length}; send the rows one by one`)
    const state = this.#state(row.state)
    if (state.model !== handle) throw failed(`State ${row.state} is of another model`)
    if (state.busy) throw failed(`State ${row.state} is in a step already; wait for its result`)
    const { width, height } = model.plan
    const expected = width * height * 3
    if (row.frame.length !== expected)
      throw failed(`A frame of ${width}x${height} has ${expected} bytes, not ${row.frame.length}`)
    const depth = await this.#use(state, () => model.step(state.state, row.framesSeen, row.frame, signal))
    return [{ depth }]
  }

  slice(): Promise<StepResult | null> {
    return Promise.reject(noWindows())
  }

  async exportState(handle: StateHandle): Promise<Uint8Array> {
    const state = this.#state(handle)
    const model = await this.#model(state.model)
    await state.busy
    return this.#use(state, () => model.toBytes(state.state))
  }

  async importState(handle: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    return this.#keep(handle, await (await this.#model(handle)).fromBytes(bytes))
  }

  async free(handle: StateHandle): Promise<void> {
    const state = this.#states.get(handle)
    if (!state) return
    this.#states.delete(handle)
    await state.busy
    state.state.close()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all([...this.#models.keys()].map((handle) => this.unload(handle)))
    this.#runtime.close()
  }

  /** Nothing may touch a state's memory while a run does. */
  async #use<T>(state: State, work: () => Promise<T>): Promise<T> {
    const running = work()
    state.busy = running.catch(() => undefined)
    try {
      return await running
    } finally {
      state.busy = null
    }
  }

  #keep(model: ModelHandle, state: CapiState): StateHandle {
    const handle = this.#newHandle()
    this.#states.set(handle, { model, state, busy: null })
    return handle
  }

  #newHandle(): number {
    this.#lastHandle += 1
    return this.#lastHandle
  }

  #model(handle: ModelHandle): Promise<CapiModel> {
    this.#refuseClosed()
    const entry = this.#models.get(handle)
    if (entry === undefined) throw failed(`Model ${handle} is not loaded; load its plan first`)
    return entry.loading
  }

  #state(handle: StateHandle): State {
    const state = this.#states.get(handle)
    if (state === undefined) throw failed(`There is no state ${handle}; it was freed or never made`)
    return state
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw failed('The executor is closed')
  }
}

function noWindows(): LeadlineError {
  return failed('ort-capi does not run mode vda-window; offline clips need the executor ort-node')
}

function failed(detail: string): LeadlineError {
  return new LeadlineError('EXECUTOR_FAILED', detail)
}
