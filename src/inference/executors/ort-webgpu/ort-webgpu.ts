import { isMainThread } from 'node:worker_threads'
import type { LeadlineError } from '../../../errors.ts'
import type {
  Executor,
  ExecutorCaps,
  ModelHandle,
  Plan,
  StateHandle,
  StepResult,
  StepRow
} from '../../executor.ts'
import { TransferCounter, type Transfers } from '../../transfers.ts'
import { HandleTable } from '../handle-table.ts'
import type { DeviceRings } from './device-rings.ts'
import { WebGpuModel } from './webgpu-model.ts'
import { ortStateBytes } from '../../latents/state-bytes.ts'
import { checkFrame, failed } from '../refusals.ts'

/** A run makes new rings; those of several rows in one run would have to be copied all the same. */
const MAX_BATCH = 1

/**
 * Runs networks with onnxruntime-node on WebGPU (Vulkan, Metal or Direct3D), with every latent cache in the device's
 * memory. A run blocks its thread, and two threads of a process must not use WebGPU: give it a process of its own. Inside,
 * one thing is done at a time, since a run reads its inputs later than it is called.
 */
export class OrtWebGpuExecutor implements Executor {
  readonly caps: ExecutorCaps = { name: 'ort-webgpu', device: 'WebGPU', maxBatch: MAX_BATCH }
  readonly #held = new HandleTable<WebGpuModel, DeviceRings>()
  readonly #transfers = new TransferCounter()
  #turn: Promise<unknown> = Promise.resolve()

  /** Throws EXECUTOR_FAILED in a worker thread. */
  constructor() {
    if (!isMainThread) throw failed('WebGPU runs on the main thread of a process; start a process for it')
  }

  load(plan: Plan): Promise<ModelHandle> {
    return this.#inTurn(async () => {
      if (plan.mode === 'vda-window') throw noWindows()
      return this.#held.addNetwork(plan, () => WebGpuModel.load(plan, this.#transfers))
    })
  }

  unload(handle: ModelHandle): Promise<void> {
    return this.#inTurn(async () => {
      const held = this.#held.takeNetwork(handle)
      for (const rings of held?.states ?? []) rings.dispose()
      await (await held?.loading)?.release()
    })
  }

  stateBytes(plan: Plan): number {
    return ortStateBytes(plan)
  }

  newState(handle: ModelHandle): Promise<StateHandle> {
    return this.#inTurn(async () =>
      this.#held.addState(handle, (await this.#held.network(handle)).newState())
    )
  }

  step(handle: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    return this.#inTurn(async () => {
      const network = await this.#held.network(handle)
      const [row, ...others] = rows
      if (row === undefined || others.length > 0)
        throw failed(`A step on WebGPU has ${MAX_BATCH} row, not ${rows.length}; send the rows one by one`)
      const rings = this.#held.state(row.state, handle)
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
      const network = await this.#held.network(this.#held.ownerOf(handle))
      return network.toBytes(this.#held.state(handle))
    })
  }

  importState(handle: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    return this.#inTurn(async () => {
      const network = await this.#held.network(handle)
      return this.#held.addState(handle, await network.fromBytes(bytes))
    })
  }

  free(handle: StateHandle): Promise<void> {
    return this.#inTurn(async () => this.#held.takeState(handle)?.dispose())
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      const held = this.#held.close()?.map((handle) => this.#held.takeNetwork(handle)!) ?? []
      // Disposing a tensor after the last session is gone is a crash: all states first.
      for (const rings of held.flatMap(({ states }) => states)) rings.dispose()
      for (const { loading } of held) await (await loading).release()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

function noWindows(): LeadlineError {
  return failed('WebGPU does not run mode vda-window; offline clips need LEADLINE_DEVICE=cpu')
}
