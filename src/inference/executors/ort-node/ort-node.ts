import os from 'node:os'
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
import type { WeightBits } from '../../cpu-features.ts'
import { exactWeightBits, thisProcessor } from '../../cpu-features.ts'
import { TransferCounter, type Transfers } from '../../transfers.ts'
import { HandleTable } from '../handle-table.ts'
import { loadNetwork, type NetworkOptions, type OrtNetwork } from './ort-network.ts'
import { OrtModel } from './ort-model.ts'
import { ortStateBytes } from '../../latents/state-bytes.ts'
import { OrtWindowModel } from './ort-window-model.ts'
import { RingCache } from './ring-cache.ts'
import { WindowCache } from './window-cache.ts'
import { checkFrame, failed } from '../refusals.ts'

/** Measured: a batch on the CPU costs as much as its frames one by one (0.9 to 1.0 of the throughput). */
const MAX_BATCH = 1

export interface OrtNodeOptions {
  /** Threads of one step. */
  threads: number
  /** Of int8. @default those that this processor multiplies without error */
  weightBits?: WeightBits
}

/** Runs networks with onnxruntime-node on the CPU. A run blocks its thread: give it a process of its own. */
export class OrtNodeExecutor implements Executor {
  readonly caps: ExecutorCaps
  readonly #options: NetworkOptions
  readonly #held = new HandleTable<OrtNetwork, RingCache | WindowCache>()
  readonly #counter = new TransferCounter()

  constructor({ threads, weightBits = exactWeightBits(thisProcessor()) }: OrtNodeOptions) {
    this.#options = { threads, weightBits }
    const cpu = os.cpus()[0]?.model.trim() ?? 'CPU'
    this.caps = { name: 'ort-node', device: `${cpu}, threads: ${threads}`, maxBatch: MAX_BATCH }
  }

  load(plan: Plan): Promise<ModelHandle> {
    return this.#held.addNetwork(plan, () => loadNetwork(plan, this.#options))
  }

  async unload(model: ModelHandle): Promise<void> {
    await (await this.#held.takeNetwork(model)?.loading)?.release()
  }

  stateBytes(plan: Plan): number {
    return ortStateBytes(plan)
  }

  async newState(model: ModelHandle): Promise<StateHandle> {
    return this.#held.addState(model, (await this.#held.network(model)).newCache())
  }

  async step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    const ortModel = await this.#held.network(model)
    const [row, ...others] = rows
    if (row === undefined || others.length > 0)
      throw failed(`A step of ort-node has ${MAX_BATCH} row, not ${rows.length}; send the rows one by one`)
    const cache = this.#held.state(row.state, model)
    if (!(ortModel instanceof OrtModel && cache instanceof RingCache))
      throw failed('A plan of mode vda-window runs slice by slice')
    checkFrame(ortModel.plan, row.frame)
    const depth = await ortModel.step(cache, row.framesSeen, row.frame)
    this.#count(row.frame, depth)
    return [{ depth }]
  }

  async slice(model: ModelHandle, row: SliceRow): Promise<StepResult | null> {
    const ortModel = await this.#held.network(model)
    const cache = this.#held.state(row.state, model)
    if (!(ortModel instanceof OrtWindowModel && cache instanceof WindowCache))
      throw failed(`A plan of mode ${ortModel.plan.mode} has no slices`)
    if (row.frame) checkFrame(ortModel.plan, row.frame)
    const depth = await ortModel.slice(cache, row)
    this.#count(row.frame, depth)
    return depth && { depth }
  }

  async transfers(): Promise<Transfers> {
    return this.#counter.total
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    return this.#held.state(state).toBytes()
  }

  async importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    const { plan } = await this.#held.network(model)
    const Cache = plan.mode === 'vda-window' ? WindowCache : RingCache
    return this.#held.addState(model, Cache.fromBytes(plan, bytes))
  }

  async free(state: StateHandle): Promise<void> {
    this.#held.takeState(state)
  }

  async close(): Promise<void> {
    await Promise.all(this.#held.close()?.map((model) => this.unload(model)) ?? [])
  }

  /** Rings are read and written where they lie, so that no cache is among what is moved. */
  #count(frame: Uint8Array | null, depth: Float32Array | null): void {
    this.#counter.add('frame', 'toDevice', frame?.byteLength ?? 0)
    this.#counter.add('depth', 'toHost', depth?.byteLength ?? 0)
    if (depth) this.#counter.step(1)
  }
}
