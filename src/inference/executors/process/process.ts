import type { Logger } from 'pino'
import { LeadlineError } from '../../../errors.ts'
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
import type { Transfers } from '../../transfers.ts'
import { stateBytesOf } from '../build.ts'
import type { ExecutorSpec } from '../spec.ts'
import { ExecutorChild } from './executor-child.ts'
import type { TransportedResult, TransportedRow } from './frame-transport.ts'

export interface ProcessExecutorOptions {
  spec: ExecutorSpec
  log: Logger
  /**
   * How long the process may do nothing while it starts or loads a model, in milliseconds; as long as it works it may take
   * any time. @default 120_000
   */
  loadStillMs?: number
  /** Whether frames cross through memory that both processes see, where the system has such. @default true */
  sharesMemory?: boolean
}

/** Handles of one life of the process lie in a range of their own, so that a stale one can never name a new state. */
const handlesPerLife = 2 ** 32
const closeGraceMs = 5_000
/**
 * After a loss nothing overlaps for so many calls: should the process die again, it is known of what. Longer than a session
 * is on probation.
 */
const calmCalls = 256

/**
 * Any executor, in a process of its own. Native failures are signals, not exceptions: the death or hang of the process
 * rejects what waits with EXECUTOR_FAILED, tells the listeners of `onLoss`, and starts a new one at once. One that died
 * before it did anything is tried again by the next `load`.
 */
export class ProcessExecutor implements Executor {
  readonly #options: ProcessExecutorOptions
  readonly #lossListeners: ((failure: LeadlineError) => void)[] = []
  /** Values in a depth map of each loaded model. */
  readonly #pixels = new Map<ModelHandle, number>()
  #caps: ExecutorCaps
  #child: ExecutorChild
  #life = 0
  #restart: Promise<void> | null = null
  #closed = false

  /** Starts the process and waits until its executor is built. Throws what that throws, and EXECUTOR_FAILED when it dies. */
  static async start(options: ProcessExecutorOptions): Promise<ProcessExecutor> {
    const executor = new ProcessExecutor(options)
    try {
      executor.#caps = await executor.#child.ready
      return executor
    } catch (error) {
      await executor.close()
      throw error
    }
  }

  private constructor(options: ProcessExecutorOptions) {
    this.#options = options
    this.#caps = { name: options.spec.kind, device: 'starting', maxBatch: 1 }
    this.#child = this.#startChild()
  }

  get caps(): ExecutorCaps {
    return this.#caps
  }

  /** False once a process that was started again has died before it did anything, until a `load` tries anew. */
  get isAlive(): boolean {
    return !this.#child.dead
  }

  /** For logs and tests; undefined when the process could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  onLoss(listener: (failure: LeadlineError) => void): void {
    this.#lossListeners.push(listener)
  }

  stateBytes(plan: Plan): number {
    return stateBytesOf[this.#options.spec.kind](plan)
  }

  async load(plan: Plan): Promise<ModelHandle> {
    if (this.#closed) throw new LeadlineError('EXECUTOR_FAILED', 'The executor is closed')
    if (this.#child.dead || this.#restart) await this.#startAgain()
    const model = this.#outward(await this.#child.call('load', [plan]))
    this.#pixels.set(model, plan.height * plan.width)
    return model
  }

  async unload(model: ModelHandle): Promise<void> {
    this.#pixels.delete(model)
    if (this.#isLive(model)) await this.#child.call('unload', [inward(model)])
  }

  async newState(model: ModelHandle): Promise<StateHandle> {
    this.#checkLive(model)
    return this.#outward(await this.#child.call('newState', [inward(model)]))
  }

  async step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    for (const row of rows) this.#checkLive(row.state)
    const frames = rows.map(({ frame }) => frame)
    const results = await this.#transport(model, frames, (child, transported) => {
      const sent = rows.map(({ state, framesSeen }, i) => ({
        ...{ state: inward(state), framesSeen },
        ...transported[i]!
      }))
      return child.call('step', [inward(model), sent])
    })
    return results.filter((result) => result !== null)
  }

  async slice(model: ModelHandle, row: SliceRow): Promise<StepResult | null> {
    this.#checkLive(row.state)
    const [result] = await this.#transport(model, [row.frame], (child, [transported]) =>
      child.call('slice', [inward(model), { ...row, ...transported!, state: inward(row.state) }])
    )
    return result ?? null
  }

  async transfers(): Promise<Transfers> {
    return (await this.#child.call('transfers', [])) as Transfers
  }

  async exportState(state: StateHandle): Promise<Uint8Array> {
    this.#checkLive(state)
    return (await this.#child.call('exportState', [inward(state)])) as Uint8Array
  }

  async importState(model: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    this.#checkLive(model)
    return this.#outward(await this.#child.call('importState', [inward(model), bytes]))
  }

  async free(state: StateHandle): Promise<void> {
    if (this.#isLive(state)) await this.#child.call('free', [inward(state)])
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#restart?.catch(() => undefined)
    await this.#child.stop(closeGraceMs)
  }

  #transport(
    model: ModelHandle,
    frames: readonly (Uint8Array | null)[],
    call: (child: ExecutorChild, transported: TransportedRow[]) => Promise<unknown>
  ): Promise<(StepResult | null)[]> {
    this.#checkLive(model)
    const child = this.#child
    const pixels = this.#pixels.get(model) ?? 0
    return child.side.transport(
      frames,
      pixels,
      (transported) => call(child, transported) as Promise<TransportedResult[]>
    )
  }

  #startAgain(): Promise<void> {
    if (this.#restart) return this.#restart
    this.#options.log.warn('starting the executor process again')
    this.#life += 1
    this.#child = this.#startChild()
    const ready = this.#child.ready.then(() => undefined)
    this.#restart = ready.finally(() => (this.#restart = null))
    this.#restart.catch(() => undefined)
    return this.#restart
  }

  #startChild(): ExecutorChild {
    const { spec, log, loadStillMs = 120_000, sharesMemory = true } = this.#options
    const child = new ExecutorChild({
      ...{ spec, log, sharesMemory, stillMs: loadStillMs },
      calmCalls: this.#life === 0 ? 0 : calmCalls,
      onDeath: (failure) => this.#lose(failure, child.hasWorked)
    })
    return child
  }

  #lose(failure: LeadlineError, hasWorked: boolean): void {
    this.#options.log.error({ err: failure }, 'lost the executor process')
    this.#pixels.clear()
    if (hasWorked && !this.#closed) void this.#startAgain()
    for (const listener of this.#lossListeners) listener(failure)
  }

  #outward(handle: unknown): number {
    return this.#life * handlesPerLife + (handle as number)
  }

  #isLive(handle: number): boolean {
    return !this.#closed && !this.#child.dead && Math.floor(handle / handlesPerLife) === this.#life
  }

  #checkLive(handle: number): void {
    if (this.#isLive(handle)) return
    throw new LeadlineError('EXECUTOR_FAILED', `Handle ${handle} is of an executor process that has ended`)
  }
}

function inward(handle: number): number {
  return handle % handlesPerLife
}
