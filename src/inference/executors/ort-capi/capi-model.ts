import { batchSizes, largestBatch } from '../../batch-sizes.ts'
import type { Plan } from '../../executor.ts'
import type { WeightBits } from '../../cpu-features.ts'
import { stepFeed } from '../../latents/window.ts'
import { ringCacheBytes } from '../../latents/ring-cache-layout.ts'
import type { TransferCounter } from '../../transfers.ts'
import { CapiBatch, type BatchRow } from './capi-batch.ts'
import { CapiState } from './capi-state.ts'
import { opSetOf, ringWriting } from './device-graph.ts'
import { DeviceCopy, latentsOf } from './device-copy.ts'
import { GraphMaker } from './graph-maker.ts'
import { RingStart } from './ring-start.ts'
import { owning } from './open-runtime.ts'
import type { Runtime } from './runtime.ts'
import type { StateMemory } from './state-memory.ts'
import { checkStateBytes } from '../refusals.ts'

/** A frame for a state that has seen `framesSeen` before it. */
export interface StateFrame {
  state: CapiState
  framesSeen: number
  frame: Uint8Array
  /** As in a step. */
  into?: Float32Array | undefined
}

export interface CapiLoadOptions {
  /** As in a graph. */
  weightBits: WeightBits
  transfers: TransferCounter
}

interface Parts {
  plan: Plan
  memory: StateMemory
  /** By size, ascending from 1. */
  batches: readonly CapiBatch[]
  rings: Rings | null
}

/** What moves whole rings; none where frames stand alone. */
interface Rings {
  copy: DeviceCopy
  start: RingStart
}

/** A plan's network, loaded through the C API on one device, for every size of batch. */
export class CapiModel {
  readonly plan: Plan
  readonly #runtime: Runtime
  readonly #batches: readonly CapiBatch[]
  readonly #memory: StateMemory
  readonly #rings: Rings | null
  /** The latest run: batches of one model follow each other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Reads and checks the weights, builds the graphs, loads them and runs each once. */
  static async load(
    runtime: Runtime,
    plan: Plan,
    { maxBatch, weightBits, transfers }: CapiLoadOptions & { maxBatch: number }
  ): Promise<CapiModel> {
    const { device } = runtime.device
    const ring = ringWriting(device, plan.precision)
    const maker = new GraphMaker(plan, { opSet: opSetOf(device), ring, weightBits })
    const batches: CapiBatch[] = []
    let rings: Rings | null = null
    try {
      const memory = await runtime.stateMemory()
      rings = plan.mode === 'single' ? null : await ringsOf(runtime, plan, transfers)
      for (const size of batchSizes(maxBatch)) {
        const graph = await maker.step(size)
        const session = await runtime.createSession(graph, plan.precision)
        batches.push(
          owning(session, runtime, () => new CapiBatch(runtime, session, { plan, size, transfers }))
        )
      }
      const model = new CapiModel(runtime, { plan, memory, batches, rings })
      await model.#warmUp()
      return model
    } catch (error) {
      closeRings(rings)
      for (const batch of batches) batch.close()
      throw error
    } finally {
      await maker.close()
    }
  }

  private constructor(runtime: Runtime, { plan, memory, batches, rings }: Parts) {
    this.plan = plan
    this.#runtime = runtime
    this.#batches = batches
    this.#rings = rings
    this.#memory = memory
  }

  newState(): CapiState {
    return new CapiState(this.#runtime, this.#memory, this.plan)
  }

  /**
   * Depth of each frame, float32 height x width, in as few runs as there are sizes of batch for. Rows are of different
   * states. Aborting the signal ends a run within one operator; what its rows' states held is then as it was before.
   * Throws EXECUTOR_FAILED.
   */
  step(frames: readonly StateFrame[], signal?: AbortSignal): Promise<Float32Array[]> {
    const stepped = this.#turn.then(() => this.#stepNow(frames, signal))
    this.#turn = stepped.catch(() => undefined)
    return stepped
  }

  /** The rings, one after the other, as RingCache lays them out. */
  async toBytes({ data }: Pick<CapiState, 'data'>): Promise<Uint8Array> {
    return (await this.#rings?.copy.download(data)) ?? new Uint8Array()
  }

  async fromBytes(bytes: Uint8Array): Promise<CapiState> {
    const expected = ringCacheBytes(this.plan)
    checkStateBytes('latent cache', bytes, expected)
    const state = this.newState()
    await this.#rings?.copy.upload(bytes, state.data)
    return state
  }

  /** Its states are to be closed before. */
  close(): void {
    closeRings(this.#rings)
    for (const batch of this.#batches) batch.close()
  }

  /** One state for all rows: what these make of it is nobody's, and a batch of them is memory that sessions may hold. */
  async #warmUp(): Promise<void> {
    const frame = new Uint8Array(this.plan.height * this.plan.width * 3)
    const state = this.newState()
    try {
      for (const { size } of this.#batches)
        await this.step(Array.from({ length: size }, () => ({ state, framesSeen: 0, frame })))
    } finally {
      state.close()
    }
  }

  async #stepNow(frames: readonly StateFrame[], signal?: AbortSignal): Promise<Float32Array[]> {
    const depths: Float32Array[] = []
    while (depths.length < frames.length) {
      const size = largestBatch(frames.length - depths.length, this.#batches.at(-1)!.size)
      const part = frames.slice(depths.length, depths.length + size)
      const batch = this.#batches.find((candidate) => candidate.size === size)!
      depths.push(...(await this.#runBatch(batch, part, signal)))
    }
    return depths
  }

  async #runBatch(
    batch: CapiBatch,
    frames: readonly StateFrame[],
    signal?: AbortSignal
  ): Promise<Float32Array[]> {
    const rows: BatchRow[] = []
    for (const { state, framesSeen, frame, into } of frames) {
      if (framesSeen === 0) await this.#rings?.start.blank(state)
      rows.push({
        ...{ state, frame, into },
        window: this.plan.mode === 'single' ? null : stepFeed(this.plan, framesSeen)
      })
    }
    const depths = await batch.run(rows, signal)
    for (const { state, window } of rows) if (window?.fillsRing) await this.#rings?.start.fill(state)
    return depths
  }
}

async function ringsOf(runtime: Runtime, plan: Plan, transfers: TransferCounter): Promise<Rings> {
  const copy = await DeviceCopy.create(runtime, latentsOf(plan, ringCacheBytes(plan)), transfers)
  try {
    return { copy, start: await RingStart.create(runtime, plan, transfers) }
  } catch (error) {
    copy.close()
    throw error
  }
}

function closeRings(rings: Rings | null): void {
  rings?.copy.close()
  rings?.start.close()
}
