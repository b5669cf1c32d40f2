import type {
  Executor,
  ExecutorCaps,
  ModelHandle,
  Plan,
  SliceRow,
  StateHandle,
  StepResult,
  StepRow
} from '../../executor.ts'
import { CapiModel } from './capi-model.ts'
import { CapiState } from './capi-state.ts'
import { CapiWindowModel } from './capi-window-model.ts'
import { CapiWindowState } from './capi-window-state.ts'
import type { DeviceSpec } from './device-spec.ts'
import { Runtime } from './runtime.ts'
import type { WeightBits } from '../../cpu-features.ts'
import { exactWeightBits, thisProcessor } from '../../cpu-features.ts'
import { HandleTable } from '../handle-table.ts'
import { ortStateBytes } from '../../latents/state-bytes.ts'
import { TransferCounter, type Transfers } from '../../transfers.ts'
import { checkFrame, failed } from '../refusals.ts'

export interface OrtCapiOptions extends DeviceSpec {
  /** Path of libonnxruntime. @default the one that onnxruntime-node ships */
  library?: string
  /** Rows that one run may hold; every power of two up to it takes a copy of the weights. @default 1 */
  maxBatch?: number
  /** As of ort-node. */
  weightBits?: WeightBits
}

type Network = CapiModel | CapiWindowModel

interface State<S = CapiState | CapiWindowState> {
  state: S
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
  readonly #weightBits: WeightBits
  readonly #held = new HandleTable<Network, State>()
  readonly #transfers = new TransferCounter()

  /** Throws EXECUTOR_FAILED when the library cannot be loaded. */
  constructor({ library, maxBatch = 1, weightBits, ...device }: OrtCapiOptions) {
    this.#runtime = new Runtime(library ?? null, device)
    this.#weightBits = weightBits ?? exactWeightBits(thisProcessor())
    const { version } = this.#runtime.api.library
    this.caps = { name: 'ort-capi', device: `${device.device}, ONNX Runtime ${version}`, maxBatch }
  }

  load(plan: Plan): Promise<ModelHandle> {
    return this.#held.addNetwork(plan, () => this.#loadNetwork(plan))
  }

  async unload(handle: ModelHandle): Promise<void> {
    const held = this.#held.takeNetwork(handle)
    if (!held) return
    for (const state of held.states) await closeIdle(state)
    ;(await held.loading).close()
    await (await this.#runtime.stateMemory()).trim()
  }

  stateBytes(plan: Plan): number {
    return ortStateBytes(plan)
  }

  async newState(handle: ModelHandle): Promise<StateHandle> {
    return this.#keep(handle, (await this.#held.network(handle)).newState())
  }

  /** Aborting the signal ends a running step with EXECUTOR_FAILED within one operator; the state is as it was. */
  async step(handle: ModelHandle, rows: readonly StepRow[], signal?: AbortSignal): Promise<StepResult[]> {
    const model = await this.#held.network(handle)
    if (!(model instanceof CapiModel)) throw failed('A plan of mode vda-window runs slice by slice')
    const states = this.#checkedStates(handle, model, rows)
    const frames = rows.map(({ framesSeen, frame, into }, i) => {
      const { state } = states[i]!
      return { state, framesSeen, frame, into }
    })
    const depths = await this.#use(states, () => model.step(frames, signal))
    this.#transfers.step(rows.length)
    return depths.map((depth) => ({ depth }))
  }

  async transfers(): Promise<Transfers> {
    return this.#transfers.total
  }

  async slice(handle: ModelHandle, row: SliceRow): Promise<StepResult | null> {
    const model = await this.#held.network(handle)
    const state = this.#idleState(handle, row.state)
    if (!(model instanceof CapiWindowModel && isWindow(state)))
      throw failed(`A plan of mode ${model.plan.mode} has no slices`)
    if (row.frame || row.stage === 0) checkFrame(model.plan, row.frame)
    const depth = await this.#use([state], () => model.slice(state.state, row))
    if (depth) this.#transfers.step(1)
    return depth && { depth }
  }

  async exportState(handle: StateHandle): Promise<Uint8Array> {
    const state = this.#held.state(handle)
    const model = await this.#held.network(this.#held.ownerOf(handle))
    await state.busy
    return this.#use([state], () => model.toBytes(state.state))
  }

  async importState(handle: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    return this.#keep(handle, await (await this.#held.network(handle)).fromBytes(bytes))
  }

  async free(handle: StateHandle): Promise<void> {
    const state = this.#held.takeState(handle)
    if (state) await closeIdle(state)
  }

  async close(): Promise<void> {
    const models = this.#held.close()
    if (!models) return
    await Promise.all(models.map((handle) => this.unload(handle)))
    await this.#runtime.close()
  }

  async #loadNetwork(plan: Plan): Promise<Network> {
    if (plan.precision === 'int8' && this.#runtime.device.device !== 'cpu')
      throw failed('No GPU provider multiplies 8-bit integers: int8 would run on the CPU; take fp16 or fp32')
    const options = { transfers: this.#transfers, weightBits: this.#weightBits }
    if (plan.mode === 'vda-window') return CapiWindowModel.load(this.#runtime, plan, options)
    // An int8 product has one scale for all of its rows: sessions would see each other.
    const maxBatch = plan.precision === 'int8' ? 1 : this.caps.maxBatch
    return CapiModel.load(this.#runtime, plan, { ...options, maxBatch })
  }

  #checkedStates(
    handle: ModelHandle,
    { plan }: CapiModel,
    rows: readonly StepRow[]
  ): readonly State<CapiState>[] {
    const { maxBatch } = this.caps
    if (rows.length < 1 || rows.length > maxBatch)
      throw failed(`A step has 1 to ${maxBatch} rows, not ${rows.length}; send the others in another`)
    for (const { frame } of rows) checkFrame(plan, frame)
    const states = rows.map((row) => this.#idleState(handle, row.state)).filter(isRing)
    if (new Set(states).size < states.length) throw failed('Two rows of a step share a state')
    return states
  }

  #idleState(model: ModelHandle, handle: StateHandle): State {
    const state = this.#held.state(handle, model)
    if (state.busy) throw failed(`State ${handle} is in a step already; wait for its result`)
    return state
  }

  /** Nothing may touch a state's memory while a run does. */
  async #use<T>(states: readonly State[], work: () => Promise<T>): Promise<T> {
    const running = work()
    const busy = running.catch(() => undefined)
    for (const state of states) state.busy = busy
    try {
      return await running
    } finally {
      for (const state of states) state.busy = null
    }
  }

  #keep(model: ModelHandle, state: State['state']): StateHandle {
    return this.#held.addState(model, { state, busy: null })
  }
}

/** Nothing may be freed while a run uses it. */
async function closeIdle({ state, busy }: State): Promise<void> {
  await busy
  state.close()
}

/** What a model made is of its kind. */
function isRing(state: State): state is State<CapiState> {
  return state.state instanceof CapiState
}

function isWindow(state: State): state is State<CapiWindowState> {
  return state.state instanceof CapiWindowState
}
