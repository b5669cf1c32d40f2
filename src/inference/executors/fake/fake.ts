import { setTimeout as delay } from 'node:timers/promises'
import { LeadlineError } from '../../../errors.ts'
import { planKey } from '../../executor.ts'
import type {
  Executor,
  ModelHandle,
  Plan,
  SliceRow,
  StateHandle,
  StepResult,
  StepRow
} from '../../executor.ts'
import { windowStages } from '../../latents/window-values.ts'
import { TransferCounter, type Transfers } from '../../transfers.ts'
import { anchoredFeed, windowShape } from '../../latents/window.ts'
import { chainBytes, depthOf, emptyChain, extend, join, type Chain } from './fake-depth.ts'

export { expectedDepths } from './fake-depth.ts'

export interface FakeExecutorOptions {
  /** Rows that one step may hold. @default 4 */
  maxBatch?: number
  /** Time that a step or a slice takes on top of its computation, in milliseconds. @default 0 */
  stepMs?: number
  /** Loading a plan of this width never ends: shows what goes on beside it. @default none */
  stuckWidth?: number
  /** Awaited before each step and slice: lets a test hold the executor at a point of its choice. */
  beforeStep?: () => Promise<void>
}

interface State {
  model: ModelHandle
  /** Two for ovda and single, one a slot for vda-stream, one a slot and stage for vda-window. */
  chains: Chain[]
}

/** As a small network would take: 64 float16 channels a patch and frame of the window. */
export function fakeStateBytes(plan: Plan): number {
  const tokens = Math.ceil(plan.width / 14) * Math.ceil(plan.height / 14)
  return tokens * 64 * 2 * Math.max(1, windowShape(plan.mode, plan.cacheSize).slots)
}

/**
 * An executor without a network: depth is a hash chain of all that a state has seen, so that any leak between states,
 * reorder, loss or wrong rebuild shows in the numbers, exactly. `expectedDepths` says what must come out.
 */
export class FakeExecutor implements Executor {
  readonly caps
  readonly #options
  readonly #models = new Map<ModelHandle, Plan>()
  readonly #states = new Map<StateHandle, State>()
  readonly #transfers = new TransferCounter()
  #lastHandle = 0
  #closed = false

  constructor(options: FakeExecutorOptions = {}) {
    this.#options = { stepMs: 0, ...options }
    this.caps = { name: 'fake', device: 'no network (hash chain)', maxBatch: options.maxBatch ?? 4 }
  }

  async load(plan: Plan): Promise<ModelHandle> {
    this.#refuseClosed()
    if (plan.width === this.#options.stuckWidth) return new Promise(() => undefined)
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
    const count = numChains(this.#plan(model))
    return this.#keep(
      model,
      Array.from({ length: count }, () => emptyChain)
    )
  }

  async step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    const plan = this.#plan(model)
    if (plan.mode === 'vda-window') failed('A plan of mode vda-window runs slice by slice')
    this.#checkRows(model, plan, rows)
    await this.#pause()
    this.#transfers.step(rows.length)
    return rows.map((row) => {
      const { chains } = this.#state(row.state)
      const chain = plan.mode === 'vda-stream' ? extendRing(chains, row) : extendPast(chains, plan, row)
      return this.#counted(row.frame, depthOf(chain, row.frame, plan))
    })
  }

  async slice(model: ModelHandle, row: SliceRow): Promise<StepResult | null> {
    const plan = this.#plan(model)
    if (plan.mode !== 'vda-window') failed(`A plan of mode ${plan.mode} has no slices`)
    if ((row.frame !== null) !== (row.stage === 0))
      failed(`Stage ${row.stage} ${row.frame ? 'takes no' : 'needs a'} frame`)
    if (row.frame) this.#checkRows(model, plan, [{ ...row, frame: row.frame, framesSeen: 0 }])
    await this.#pause()
    const { chains } = this.#state(row.state)
    const { slots } = windowShape(plan.mode, plan.cacheSize)
    const chain = sliceChain(chains, row, slots)
    chains[row.stage * slots + row.slot] = chain
    return row.stage === windowStages - 1 ? this.#counted(emptyChain, depthOf(chain, emptyChain, plan)) : null
  }

  async transfers(): Promise<Transfers> {
    return this.#transfers.total
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    return new Uint8Array(Buffer.concat(this.#state(state).chains))
  }

  async importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    const count = numChains(this.#plan(model))
    const expected = count * chainBytes
    if (bytes.byteLength !== expected) {
      failed(`A state of the fake executor is ${expected} bytes, not ${bytes.byteLength}`)
    }
    return this.#keep(
      model,
      Array.from({ length: count }, (_, i) => bytes.slice(i * chainBytes, (i + 1) * chainBytes))
    )
  }

  async free(state: StateHandle): Promise<void> {
    this.#states.delete(state)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#models.clear()
    this.#states.clear()
  }

  #counted(frame: Uint8Array, depth: Float32Array): StepResult {
    this.#transfers.add('frame', 'toDevice', frame.byteLength)
    this.#transfers.add('depth', 'toHost', depth.byteLength)
    return { depth }
  }

  #keep(model: ModelHandle, chains: Chain[]): StateHandle {
    this.#states.set(++this.#lastHandle, { model, chains })
    return this.#lastHandle
  }

  async #pause(): Promise<void> {
    await this.#options.beforeStep?.()
    if (this.#options.stepMs > 0) await delay(this.#options.stepMs)
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

  #state(state: StateHandle): State {
    return this.#states.get(state) ?? failed(`There is no state ${state}; it was freed or never made`)
  }

  #refuseClosed(): void {
    if (this.#closed) failed('The executor is closed')
  }
}

function numChains({ mode, cacheSize }: Plan): number {
  const { slots } = windowShape(mode, cacheSize)
  if (mode === 'vda-window') return slots * windowStages
  return mode === 'vda-stream' ? slots : 2
}

/** The chain of the latest frame in one place, that of the frame before it in the other. */
function extendPast(chains: Chain[], plan: Plan, { framesSeen, frame }: StepRow): Chain {
  const fresh = framesSeen === 0 || plan.mode === 'single'
  const before = fresh ? emptyChain : chains[(framesSeen - 1) % 2]!
  return (chains[framesSeen % 2] = extend(before, fresh ? 0 : framesSeen, frame))
}

/** As a network's ring is read and written. */
function extendRing(chains: Chain[], { framesSeen, frame }: StepRow): Chain {
  const { positions, mask, queryPosition, writeSlot, fillsRing } = anchoredFeed(framesSeen)
  const seen = chains
    .map((chain, slot) => ({ chain, slot, place: positions[slot]! }))
    .filter(({ slot }) => mask[slot] === 0 && slot !== writeSlot)
    .sort((a, b) => a.place - b.place)
  const chain = join(
    seen.map((one) => one.chain),
    queryPosition,
    frame
  )
  if (fillsRing) chains.fill(chain)
  return (chains[writeSlot] = chain)
}

function sliceChain(
  chains: readonly Chain[],
  { stage, slot, places, frame }: SliceRow,
  slots: number
): Chain {
  if (frame) return join([], 0, frame)
  const before = chains.slice((stage - 1) * slots, stage * slots)
  const byPlace: Chain[] = []
  for (const [other, place] of places.entries()) byPlace[place] = before[other]!
  return join(byPlace, places[slot]!, before[slot]!)
}

function failed(detail: string): never {
  throw new LeadlineError('EXECUTOR_FAILED', detail)
}
