import { Piscina } from 'piscina'
import { entryBeside } from '../../../machine/entry-beside.ts'
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
import { noTransfers, sumOfTransfers, type Transfers } from '../../transfers.ts'
import { ortStateBytes } from '../../latents/state-bytes.ts'
import { HandleTable } from '../handle-table.ts'
import type { OrtNodeOptions } from './ort-node.ts'
import type { ThreadAnswer, ThreadCall } from './ort-thread.ts'

/** A network and the thread that has it. */
interface Network {
  thread: Piscina<ThreadCall, ThreadAnswer>
  /** As the thread knows it. */
  model: ModelHandle
}

/** A state, as the thread of its network knows it. */
interface State {
  network: Network
  state: StateHandle
}

/**
 * OrtNodeExecutor, which blocks its thread, on a thread for each network: while one is read, built and loaded, the others
 * run. All of them end with the process. Decision 57.
 */
export class OrtThreadsExecutor implements Executor {
  readonly caps: ExecutorCaps
  readonly #options: OrtNodeOptions
  readonly #held = new HandleTable<Network, State>()
  readonly #loaded = new Set<Network>()
  /** Started and without a network. */
  #spare: Network['thread'] | null
  /** Of networks that are gone. */
  #past: Transfers = noTransfers

  /** Throws EXECUTOR_FAILED when ONNX Runtime cannot be loaded. */
  static async start(options: OrtNodeOptions): Promise<OrtThreadsExecutor> {
    const spare = startThread(options)
    return new OrtThreadsExecutor(options, spare, (await ask(spare, { operation: 'caps' })) as ExecutorCaps)
  }

  private constructor(options: OrtNodeOptions, spare: Network['thread'], caps: ExecutorCaps) {
    this.#options = options
    this.#spare = spare
    this.caps = caps
  }

  load(plan: Plan): Promise<ModelHandle> {
    return this.#held.addNetwork(plan, () => this.#loadNetwork(plan))
  }

  async unload(model: ModelHandle): Promise<void> {
    const network = await this.#held.takeNetwork(model)?.loading
    if (!network) return
    const { thread } = network
    await ask(thread, { operation: 'unload', args: [network.model] })
    this.#past = sumOfTransfers([this.#past, await transfersOf(network)])
    this.#loaded.delete(network)
    await thread.destroy()
  }

  stateBytes(plan: Plan): number {
    return ortStateBytes(plan)
  }

  async newState(handle: ModelHandle): Promise<StateHandle> {
    const network = await this.#held.network(handle)
    const state = await ask(network.thread, { operation: 'newState', args: [network.model] })
    return this.#held.addState(handle, { network, state: state as StateHandle })
  }

  async step(handle: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    const { thread, model } = await this.#held.network(handle)
    const sent = rows.map(({ state, framesSeen, frame }) => ({
      ...{ state: this.#held.state(state, handle).state, framesSeen },
      frame: Uint8Array.from(frame)
    }))
    return (await ask(
      thread,
      { operation: 'step', args: [model, sent] },
      sent.map(({ frame }) => frame.buffer)
    )) as StepResult[]
  }

  async slice(handle: ModelHandle, row: SliceRow): Promise<StepResult | null> {
    const { thread, model } = await this.#held.network(handle)
    const frame = row.frame && Uint8Array.from(row.frame)
    const sent = { ...row, state: this.#held.state(row.state, handle).state, frame }
    const call: ThreadCall = { operation: 'slice', args: [model, sent] }
    return (await ask(thread, call, frame ? [frame.buffer] : [])) as StepResult | null
  }

  async transfers(): Promise<Transfers> {
    return sumOfTransfers([this.#past, ...(await Promise.all([...this.#loaded].map(transfersOf)))])
  }

  async exportState(handle: StateHandle): Promise<Uint8Array> {
    const { network, state } = this.#held.state(handle)
    return (await ask(network.thread, { operation: 'exportState', args: [state] })) as Uint8Array
  }

  async importState(handle: ModelHandle, bytes: Uint8Array): Promise<StateHandle> {
    const network = await this.#held.network(handle)
    const own = Uint8Array.from(bytes)
    const call: ThreadCall = { operation: 'importState', args: [network.model, own] }
    const state = (await ask(network.thread, call, [own.buffer])) as StateHandle
    return this.#held.addState(handle, { network, state })
  }

  async free(handle: StateHandle): Promise<void> {
    const held = this.#held.takeState(handle)
    if (held) await ask(held.network.thread, { operation: 'free', args: [held.state] })
  }

  async close(): Promise<void> {
    await Promise.all(this.#held.close()?.map((model) => this.unload(model)) ?? [])
    await this.#spare?.destroy()
    this.#spare = null
  }

  async #loadNetwork(plan: Plan): Promise<Network> {
    const thread = this.#spare ?? startThread(this.#options)
    this.#spare = null
    try {
      const model = (await ask(thread, { operation: 'load', args: [plan] })) as ModelHandle
      const network = { thread, model }
      this.#loaded.add(network)
      return network
    } catch (error) {
      await thread.destroy()
      throw error
    }
  }
}

function startThread(options: OrtNodeOptions): Network['thread'] {
  const { path, execArgv } = entryBeside(import.meta.url, 'ort-thread')
  return new Piscina({ filename: path, execArgv, workerData: options, minThreads: 1, maxThreads: 1 })
}

/** What is in `moved` is gone here. Throws what the executor throws. */
async function ask(thread: Network['thread'], call: ThreadCall, moved: ArrayBuffer[] = []): Promise<unknown> {
  const answer = await thread.run(call, { transferList: moved })
  if ('code' in answer) throw new LeadlineError(answer.code, answer.detail)
  return answer.value
}

async function transfersOf({ thread }: Network): Promise<Transfers> {
  return (await ask(thread, { operation: 'transfers', args: [] })) as Transfers
}
