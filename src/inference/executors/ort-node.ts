import os from 'node:os'
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
import { OrtModel } from './ort-model.ts'
import { ringCacheBytes } from './ring-cache-layout.ts'
import { RingCache } from './ring-cache.ts'

/** Measured: a batch on the CPU costs as much as its frames one by one (0.9 to 1.0 of the throughput). */
const MAX_BATCH = 1

export interface OrtNodeOptions {
  /** Threads of one step. */
  threads: number
}

interface State {
  model: ModelHandle
  cache: RingCache
}

/** Runs networks with onnxruntime-node on the CPU. A run blocks its thread: give it a process of its own. */
export class OrtNodeExecutor implements Executor {
  readonly caps: ExecutorCaps
  private readonly threads: number
  private readonly models = new Map<ModelHandle, { key: string; loading: Promise<OrtModel> }>()
  private readonly states = new Map<StateHandle, State>()
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
    const loading = known?.[1].loading ?? OrtModel.load(plan, this.threads)
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
    return ringCacheBytes(plan)
  }

  async newState(model: ModelHandle): Promise<StateHandle> {
    return this.keep(model, (await this.model(model)).newCache())
  }

  async step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    const ortModel = await this.model(model)
    const [row, ...others] = rows
    if (row === undefined || others.length > 0)
      throw failed(`A step of ort-node has ${MAX_BATCH} row, not ${rows.length}; send the rows one by one`)
    const { cache, model: owner } = this.state(row.state)
    if (owner !== model) throw failed(`State ${row.state} is of another model`)
    const { width, height } = ortModel.plan
    const expected = width * height * 3
    if (row.frame.length !== expected)
      throw failed(`A frame of ${width}x${height} has ${expected} bytes, not ${row.frame.length}`)
    return [{ depth: await ortModel.step(cache, row.framesSeen, row.frame) }]
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    return this.state(state).cache.toBytes()
  }

  async importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    const { plan } = await this.model(model)
    return this.keep(model, RingCache.fromBytes(plan, bytes))
  }

  async free(state: StateHandle): Promise<void> {
    this.states.delete(state)
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.states.clear()
    await Promise.all([...this.models.keys()].map((model) => this.unload(model)))
  }

  private keep(model: ModelHandle, cache: RingCache): StateHandle {
    const handle = this.newHandle()
    this.states.set(handle, { model, cache })
    return handle
  }

  private newHandle(): number {
    this.lastHandle += 1
    return this.lastHandle
  }

  private model(handle: ModelHandle): Promise<OrtModel> {
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

function failed(detail: string): LeadlineError {
  return new LeadlineError('EXECUTOR_FAILED', detail)
}
