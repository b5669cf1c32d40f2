import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { LeadlineError } from '../../errors.ts'
import { planKey } from '../executor.ts'
import type { Executor, ModelHandle, Plan, StateHandle, StepResult, StepRow } from '../executor.ts'

/** What of a plan the fake's numbers depend on. */
export type FakePlan = Pick<Plan, 'mode' | 'width' | 'height'>

export interface FakeExecutorOptions {
  /** Rows that one step may hold. @default 4 */
  maxBatch?: number
  /** Time that a step takes on top of its computation, in milliseconds. @default 0 */
  stepMs?: number
  /** Awaited before each step: lets a test hold the executor at a point of its choice. */
  beforeStep?: () => Promise<void>
}

/** Everything a state has seen since it was new or reset, in one hash. */
type Chain = Uint8Array
const emptyChain: Chain = new Uint8Array(32)

/** One step of the chain: what was seen before, the position, the frame. */
function extend(chain: Chain, framesSeen: number, frame: Uint8Array): Chain {
  const position = new Uint8Array(Uint32Array.of(framesSeen).buffer)
  return createHash('sha256').update(chain).update(position).update(frame).digest()
}

/**
 * Depth of a frame under a chain: green of the pixel, a horizontal ramp (so that no map is flat) and two numbers out of
 * the hash that lift and stretch the whole map. Another past, another order or a missing frame changes every value.
 */
function depthOf(chain: Chain, frame: Uint8Array, { width, height }: FakePlan): Float32Array {
  const words = new DataView(chain.buffer, chain.byteOffset)
  const lift = words.getUint32(0, true) / 2 ** 32
  const stretch = 1 + words.getUint32(4, true) / 2 ** 32
  const depth = new Float32Array(width * height)
  for (let i = 0; i < depth.length; i++) {
    depth[i] = lift + stretch * ((frame[i * 3 + 1] ?? 0) / 255 + (i % width) / width)
  }
  return depth
}

/**
 * The depth maps of a fresh state that sees exactly these frames (RGB, height x width x 3, network size) in this order.
 * In mode single each frame stands alone.
 */
export function expectedDepths(frames: readonly Uint8Array[], plan: FakePlan): Float32Array[] {
  let chain = emptyChain
  return frames.map((frame, index) => {
    const alone = plan.mode === 'single'
    chain = extend(alone ? emptyChain : chain, alone ? 0 : index, frame)
    return depthOf(chain, frame, plan)
  })
}

/** As a small network would take: 64 float16 channels a patch and frame of the window. */
export function fakeStateBytes(plan: Plan): number {
  const tokens = Math.ceil(plan.width / 14) * Math.ceil(plan.height / 14)
  return tokens * 64 * 2 * (plan.mode === 'single' ? 1 : plan.cacheSize)
}

/**
 * An executor without a network: depth is a hash chain of all that a state has seen, so that any leak between states,
 * reorder, loss or wrong rebuild shows in the numbers, exactly. `expectedDepths` says what must come out.
 */
export class FakeExecutor implements Executor {
  readonly caps
  readonly #options
  readonly #models = new Map<ModelHandle, Plan>()
  readonly #states = new Map<StateHandle, { model: ModelHandle; chain: Chain }>()
  #lastHandle = 0
  #closed = false

  constructor(options: FakeExecutorOptions = {}) {
    this.#options = { stepMs: 0, ...options }
    this.caps = { name: 'fake', device: 'no network (hash chain)', maxBatch: options.maxBatch ?? 4 }
  }

  async load(plan: Plan): Promise<ModelHandle> {
    this.#refuseClosed()
    const key = planKey(plan)
    for (const [handle, loaded] of this.#models) if (planKey(loaded) === key) return handle
    this.#models.set(++this.#lastHandle, plan)
    return this.#lastHandle
  }

  async unload(model: ModelHandle): Promise<void> {
    this.#models.delete(model)
  }

  stateBytes(plan: Plan): number {
    return fakeStateBytes(plan)
  }

  async newState(model: ModelHandle): Promise<StateHandle> {
    return this.#keep(model, emptyChain)
  }

  async step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    const plan = this.#plan(model)
    this.#checkRows(model, plan, rows)
    await this.#options.beforeStep?.()
    if (this.#options.stepMs > 0) await delay(this.#options.stepMs)
    return rows.map((row) => {
      const fresh = row.framesSeen === 0 || plan.mode === 'single'
      const state = this.#state(row.state)
      state.chain = extend(fresh ? emptyChain : state.chain, fresh ? 0 : row.framesSeen, row.frame)
      return { depth: depthOf(state.chain, row.frame, plan) }
    })
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    return this.#state(state).chain.slice()
  }

  async importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    if (bytes.byteLength !== emptyChain.byteLength) {
      failed(`A state of the fake executor is ${emptyChain.byteLength} bytes, not ${bytes.byteLength}`)
    }
    return this.#keep(model, bytes.slice())
  }

  async free(state: StateHandle): Promise<void> {
    this.#states.delete(state)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#models.clear()
    this.#states.clear()
  }

  #keep(model: ModelHandle, chain: Chain): StateHandle {
    this.#plan(model)
    this.#states.set(++this.#lastHandle, { model, chain })
    return this.#lastHandle
  }

  #checkRows(model: ModelHandle, plan: Plan, rows: readonly StepRow[]): void {
    if (rows.length < 1 || rows.length > this.caps.maxBatch) {
      failed(`A step has 1 to ${this.caps.maxBatch} rows, not ${rows.length}`)
    }
    if (new Set(rows.map((row) => row.state)).size < rows.length) failed('Two rows of a step share a state')
    const expected = plan.width * plan.height * 3
    for (const row of rows) {
      if (this.#state(row.state).model !== model) failed(`State ${row.state} is of another model`)
      if (row.frame.byteLength !== expected) {
        failed(`A frame of ${plan.width}x${plan.height} has ${expected} bytes, not ${row.frame.byteLength}`)
      }
    }
  }

  #plan(model: ModelHandle): Plan {
    this.#refuseClosed()
    return this.#models.get(model) ?? failed(`Model ${model} is not loaded; load its plan first`)
  }

  #state(state: StateHandle): { model: ModelHandle; chain: Chain } {
    return this.#states.get(state) ?? failed(`There is no state ${state}; it was freed or never made`)
  }

  #refuseClosed(): void {
    if (this.#closed) failed('The executor is closed')
  }
}

function failed(detail: string): never {
  throw new LeadlineError('EXECUTOR_FAILED', detail)
}
