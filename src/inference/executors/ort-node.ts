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
} from '../executor.ts'
import { planKey } from '../executor.ts'
import { TransferCounter, type Transfers } from '../transfers.ts'
import { loadNetwork, type OrtNetwork } from './ort-network.ts'
import { OrtModel } from './ort-model.ts'
import { ortStateBytes } from './ort-state-bytes.ts'
import { OrtWindowModel } from './ort-window-model.ts'
import { RingCache } from './ring-cache.ts'
import { WindowCache } from './window-cache.ts'
import { checkFrame, failed } from './refusals.ts'

/** Measured: a batch on the CPU costs as much as its frames one by one (0.9 to 1.0 of the throughput). */
const MAX_BATCH = 1

export interface OrtNodeOptions {
  /** Threads of one step. */
  threads: number
}

interface State {
  model: ModelHandle
  cache: RingCache | WindowCache
}

/** Runs networks with onnxruntime-node on the CPU. A run blocks its thread: give it a process of its own. */
export class OrtNodeExecutor implements Executor {
  readonly caps: ExecutorCaps
  private readonly threads: number
  private readonly models = new Map<ModelHandle, { key: string; loading: Promise<OrtNetwork> }>()
  private readonly states = new Map<StateHandle, State>()
  private readonly counter = new TransferCounter()
  private lastHandle = 0
  private isClosed = false

  constructor({ threads }: OrtNodeOptions) {
    this.threads = threads
    const cpu = os.cpus()[0]?.model.trim() ?? 'CPU'
    this.caps = { name: 'ort-node', device: `${cpu}, threads: ${threads}`, maxBatch: MAX_BATCH }
  }

  async load(plan: Plan): Promise<ModelHandle> {
    this.refuseClosed()
    const key = planKey(plan)
    const known = [...this.models].find(([, entry]) => entry.key === key)
    const handle = known?.[0] ?? this.newHandle()
    const loading = known?.[1].loading ?? loadNetwork(plan, this.threads)
    this.models.set(handle, { key, loading })
    try {
      await loading
    } catch (error) {
      this.models.delete(handle)
      throw error
    }
    return handle
  }

  async unload(model: ModelHandle): Promise<void> {
    const entry = this.models.get(model)
    this.models.delete(model)
    await (await entry?.loading)?.release()
  }

  stateBytes(plan: Plan): number {
    return ortStateBytes(plan)
  }

  async newState(model: ModelHandle): Promise<StateHandle> {
    return this.keep(model, (await this.model(model)).newCache())
  }

  async step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    const ortModel = await this.model(model)
    const [row, ...others] = rows
    if (row === undefined || others.length > 0)
      throw failed(`A step of ort-node has ${MAX_BATCH} row, not ${rows.length}; send the rows one by one`)
    const cache = this.cacheOf(row.state, model)
    if (!(ortModel instanceof OrtModel && cache instanceof RingCache))
      throw failed('A plan of mode vda-window runs slice by slice')
    checkFrame(ortModel.plan, row.frame)
    const depth = await ortModel.step(cache, row.framesSeen, row.frame)
    this.count(row.frame, depth)
    return [{ depth }]
  }

  async slice(model: ModelHandle, row: SliceRow): Promise<StepResult | null> {
    const ortModel = await this.model(model)
    const cache = this.cacheOf(row.state, model)
    if (!(ortModel instanceof OrtWindowModel && cache instanceof WindowCache))
      throw failed(`A plan of mode ${ortModel.plan.mode} has no slices`)
    if (row.frame) checkFrame(ortModel.plan, row.frame)
    const depth = await ortModel.slice(cache, row)
    this.count(row.frame, depth)
    return depth && { depth }
  }

  async transfers(): Promise<Transfers> {
    return this.counter.total
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    return this.state(state).cache.toBytes()
  }

  async importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    const { plan } = await this.model(model)
    const Cache = plan.mode === 'vda-window' ? WindowCache : RingCache
    return this.keep(model, Cache.fromBytes(plan, bytes))
  }

  async free(state: StateHandle): Promise<void> {
    this.states.delete(state)
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.states.clear()
    await Promise.all([...this.models.keys()].map((model) => this.unload(model)))
  }

  /** Rings are read and written where they lie, so that no cache is among what is moved. */
  private count(frame: Uint8Array | null, depth: Float32Array | null): void {
    this.counter.add('frame', 'toDevice', frame?.byteLength ?? 0)
    this.counter.add('depth', 'toHost', depth?.byteLength ?? 0)
    if (depth) this.counter.step(1)
  }

  private cacheOf(handle: StateHandle, model: ModelHandle): State['cache'] {
    const { cache, model: owner } = this.state(handle)
    if (owner !== model) throw failed(`State ${handle} is of another model`)
    return cache
  }

  private keep(model: ModelHandle, cache: State['cache']): StateHandle {
    const handle = this.newHandle()
    this.states.set(handle, { model, cache })
    return handle
  }

  private newHandle(): number {
    this.lastHandle += 1
    return this.lastHandle
  }

  private model(handle: ModelHandle): Promise<OrtNetwork> {
    this.refuseClosed()
    const entry = this.models.get(handle)
    if (entry === undefined) throw failed(`Model ${handle} is not loaded; load its plan first`)
    return entry.loading
  }

  private state(handle: StateHandle): State {
    const state = this.states.get(handle)
    if (state === undefined) throw failed(`There is no state ${handle}; it was freed or never made`)
    return state
  }

  private refuseClosed(): void {
    if (this.isClosed) throw failed('The executor is closed')
  }
}
