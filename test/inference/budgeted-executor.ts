import { LeadlineError } from '../../src/errors.ts'
import type {
  Executor,
  ModelHandle,
  Plan,
  SliceRow,
  StateHandle,
  StepRow
} from '../../src/inference/executor.ts'
import { FakeExecutor } from '../../src/inference/executors/fake/fake.ts'
import type { FakeExecutorOptions } from '../../src/inference/executors/fake/fake.ts'
import type { Transfers } from '../../src/inference/transfers.ts'

const handlesPerLife = 1_000_000

export interface BudgetedExecutorOptions {
  /** Frames that take the device along when they are stepped. */
  diesOf?: (frame: Uint8Array) => boolean
  fake?: FakeExecutorOptions
}

/** The fake executor on a device with so many bytes, which can crash: then every state and model is gone. */
export class BudgetedExecutor implements Executor {
  readonly caps
  readonly budgetBytes: number
  usedBytes = 0
  mostBytes = 0
  readonly #options: BudgetedExecutorOptions
  #device: FakeExecutor
  #life = 0
  readonly #plans = new Map<ModelHandle, Plan>()
  readonly #held = new Map<StateHandle, number>()
  readonly #listeners: ((failure: LeadlineError) => void)[] = []

  constructor(budgetBytes: number, options: BudgetedExecutorOptions = {}) {
    this.budgetBytes = budgetBytes
    this.#options = options
    this.#device = new FakeExecutor(options.fake)
    this.caps = this.#device.caps
  }

  onLoss(listener: (failure: LeadlineError) => void): void {
    this.#listeners.push(listener)
  }

  /** Returns the failure that the listeners are told. */
  crash(): LeadlineError {
    this.#life += 1
    this.#device = new FakeExecutor(this.#options.fake)
    this.#plans.clear()
    this.#held.clear()
    this.usedBytes = 0
    const failure = new LeadlineError('EXECUTOR_FAILED', 'The device was lost')
    for (const listener of this.#listeners) listener(failure)
    return failure
  }

  transfers(): Promise<Transfers> {
    return this.#device.transfers()
  }

  stateBytes(plan: Plan): number {
    return this.#device.stateBytes(plan)
  }

  async load(plan: Plan): Promise<ModelHandle> {
    const handle = await this.#outward(this.#device.load(plan))
    this.#plans.set(handle, plan)
    return handle
  }

  async unload(model: ModelHandle): Promise<void> {
    if (this.#isLive(model)) await this.#device.unload(model % handlesPerLife)
  }

  async newState(model: ModelHandle): Promise<StateHandle> {
    const bytes = this.#claim(model)
    const state = await this.#outward(this.#device.newState(model % handlesPerLife))
    this.#hold(state, bytes)
    return state
  }

  /** Returns what a state of the model takes. */
  #claim(model: ModelHandle): number {
    this.#checkLive(model)
    const bytes = this.stateBytes(this.#plans.get(model)!)
    if (this.usedBytes + bytes > this.budgetBytes)
      throw new LeadlineError(
        'EXECUTOR_FAILED',
        `Out of memory: ${this.usedBytes} + ${bytes} of ${this.budgetBytes}`
      )
    this.usedBytes += bytes
    this.mostBytes = Math.max(this.mostBytes, this.usedBytes)
    return bytes
  }

  async step(model: ModelHandle, rows: readonly StepRow[]) {
    for (const handle of [model, ...rows.map(({ state }) => state)]) this.#checkLive(handle)
    if (rows.some(({ frame }) => this.#options.diesOf?.(frame))) throw this.crash()
    const inside = rows.map((row) => ({ ...row, state: row.state % handlesPerLife }))
    const results = await this.#device.step(model % handlesPerLife, inside)
    this.#checkLive(model)
    return results
  }

  async slice(model: ModelHandle, row: SliceRow) {
    for (const handle of [model, row.state]) this.#checkLive(handle)
    const inside = { ...row, state: row.state % handlesPerLife }
    const result = await this.#device.slice(model % handlesPerLife, inside)
    this.#checkLive(model)
    return result
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    this.#checkLive(state)
    const bytes = await this.#device.exportState(state % handlesPerLife)
    this.#checkLive(state)
    return bytes
  }

  async importState(model: ModelHandle, cache: Uint8Array): Promise<StateHandle> {
    const bytes = this.#claim(model)
    const state = await this.#outward(this.#device.importState(model % handlesPerLife, cache)).catch(
      (error: unknown) => {
        if (this.#isLive(model)) this.usedBytes -= bytes
        throw error
      }
    )
    this.#hold(state, bytes)
    return state
  }

  async free(state: StateHandle): Promise<void> {
    this.usedBytes -= this.#held.get(state) ?? 0
    this.#held.delete(state)
    if (this.#isLive(state)) await this.#device.free(state % handlesPerLife)
  }

  /** A crash may have come since the device's answer. */
  #hold(state: StateHandle, bytes: number): void {
    this.#checkLive(state)
    this.#held.set(state, bytes)
  }

  close(): Promise<void> {
    return this.#device.close()
  }

  /** What the device answers counts only if it still lives then. */
  async #outward(answer: Promise<number>): Promise<number> {
    const life = this.#life
    const handle = life * handlesPerLife + (await answer)
    this.#checkLive(handle)
    return handle
  }

  #isLive(handle: number): boolean {
    return Math.floor(handle / handlesPerLife) === this.#life
  }

  #checkLive(handle: number): void {
    if (!this.#isLive(handle))
      throw new LeadlineError('EXECUTOR_FAILED', `Handle ${handle} is of a lost device`)
  }
}
