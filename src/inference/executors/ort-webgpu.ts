import { isMainThread } from 'node:worker_threads'
import type { LeadlineError } from '../../errors.ts'
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
import { TransferCounter, type Transfers } from '../transfers.ts'
import type { DeviceRings } from './ort-webgpu/device-rings.ts'
import { WebGpuModel } from './ort-webgpu/webgpu-model.ts'
import { ortStateBytes } from './ort-state-bytes.ts'
import { checkFrame, failed } from './refusals.ts'

/** A run makes new rings; those of several rows in one run would have to be copied all the same. */
const MAX_BATCH = 1

interface State {
  model: ModelHandle
  rings: DeviceRings
}

/**
 * Runs networks with onnxruntime-node on WebGPU (Vulkan, Metal or Direct3D), with every latent cache in the device's
 * memory. A run blocks its thread, and two threads of a process must not use WebGPU: give it a process of its own. Inside,
 * one thing is done at a time, since a run reads its inputs later than it is called.
 */
export class OrtWebGpuExecutor implements Executor {
  readonly caps: ExecutorCaps = { name: 'ort-webgpu', device: 'WebGPU', maxBatch: MAX_BATCH }
  readonly #models = new Map<ModelHandle, { key: string; network: WebGpuModel }>()
  readonly #states = new Map<StateHandle, State>()
  readonly #transfers = new TransferCounter()
  #turn: Promise<unknown> = Promise.resolve()
  #lastHandle = 0
  #isClosed = false

  /** Throws EXECUTOR_FAILED in a worker thread. */
  constructor() {
    if (!isMainThread) throw failed('WebGPU runs on the main thread of a process; start a process for it')
  }

  load(plan: Plan): Promise<ModelHandle> {
    return this.#inTurn(async () => {
      this.#refuseClosed()
      if (plan.mode === 'vda-window') throw noWindows()
      const key = planKey(plan)
      for (const [handle, known] of this.#models) if (known.key === key) return handle
      const network = await WebGpuModel.load(plan, this.#transfers)
      const handle = this.#newHandle()
      this.#models.set(handle, { key, network })
      return handle
    })
  }

  unload(handle: ModelHandle): Promise<void> {
    return this.#inTurn(() => this.#unloadNow(handle))
  }

  stateBytes(plan: Plan): number {
    return ortStateBytes(plan)
  }

  newState(handle: ModelHandle): Promise<StateHandle> {
    return this.#inTurn(async () => this.#keep(handle, this.#model(handle).newState()))
  }

  step(handle: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    return this.#inTurn(async () => {
      const network = this.#model(handle)
      const [row, ...others] = rows
      if (row === undefined || others.length > 0)
        throw failed(`A step on WebGPU has ${MAX_BATCH} row, not ${rows.length}; send the rows one by one`)
      const { rings, model } = this.#state(row.state)
      if (model !== handle) throw failed(`State ${row.state} is of another model`)
      checkFrame(network.plan, row.frame)
      const depth = await network.step(rings, row.framesSeen, row.frame)
      this.#transfers.step(1)
      return [{ depth }]
    })
  }

  slice(): Promise<StepResult | null> {
    return Promise.reject(noWindows())
  }

  async transfers(): Promise<Transfers> {
    return this.#transfers.total
  }

  exportState(handle: StateHandle): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const { rings, model } = this.#state(handle)
      return this.#model(model).toBytes(rings)
    })
  }

  importState(handle: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    return this.#inTurn(async () => this.#keep(handle, await this.#model(handle).fromBytes(bytes)))
  }

  free(handle: StateHandle): Promise<void> {
    return this.#inTurn(async () => {
      this.#states.get(handle)?.rings.dispose()
      this.#states.delete(handle)
    })
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isClosed = true
      // Disposing a tensor after the last session is gone is a crash: all states first.
      for (const { rings } of this.#states.values()) rings.dispose()
      this.#states.clear()
      for (const handle of [...this.#models.keys()]) await this.#unloadNow(handle)
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #unloadNow(handle: ModelHandle): Promise<void> {
    for (const [state, { model, rings }] of this.#states) {
      if (model !== handle) continue
      rings.dispose()
      this.#states.delete(state)
    }
    const entry = this.#models.get(handle)
    this.#models.delete(handle)
    await entry?.network.release()
  }

  #keep(model: ModelHandle, rings: DeviceRings): StateHandle {
    const handle = this.#newHandle()
    this.#states.set(handle, { model, rings })
    return handle
  }

  #newHandle(): number {
    this.#lastHandle += 1
    return this.#lastHandle
  }

  #model(handle: ModelHandle): WebGpuModel {
    this.#refuseClosed()
    const entry = this.#models.get(handle)
    if (entry === undefined) throw failed(`Model ${handle} is not loaded; load its plan first`)
    return entry.network
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
  return failed('WebGPU does not run mode vda-window; offline clips need LEADLINE_DEVICE=cpu')
}
