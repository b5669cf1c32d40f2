import { LeadlineError } from '../../../errors.ts'
import type { Plan } from '../../executor.ts'
import { buildStepGraph } from '../../graph/step-graph.ts'
import { stepFeed, windowShape } from '../../graph/window.ts'
import { readNetworkWeights } from '../../weights/network-weights.ts'
import { latentLayout, ringCacheBytes } from '../ring-cache-layout.ts'
import { CapiState } from './capi-state.ts'
import type { Pointer } from './c-api.ts'
import { DeviceCopy } from './device-copy.ts'
import type { Runtime } from './runtime.ts'

/** A plan's network, loaded through the C API on one device, batch 1. */
export class CapiModel {
  readonly plan: Plan
  readonly #runtime: Runtime
  readonly #session: Pointer
  readonly #allocator: Pointer
  readonly #copy: DeviceCopy | null

  /** Reads and checks the weights, builds the graph, loads it and runs it once. */
  static async load(runtime: Runtime, plan: Plan): Promise<CapiModel> {
    const { weightsPath, digest, architecture, mode } = plan
    const weights = await readNetworkWeights(weightsPath, digest, architecture)
    const session = await runtime.createSession(buildStepGraph({ ...plan, weights, ring: 'inPlace' }))
    const numFloats = ringCacheBytes(plan) / Float32Array.BYTES_PER_ELEMENT
    const copy = mode === 'single' ? null : await DeviceCopy.create(runtime, numFloats)
    const model = new CapiModel(runtime, session, { plan, copy })
    const state = model.newState()
    try {
      await model.step(state, 0, new Uint8Array(plan.height * plan.width * 3))
    } finally {
      state.close()
    }
    return model
  }

  private constructor(
    runtime: Runtime,
    session: Pointer,
    { plan, copy }: { plan: Plan; copy: DeviceCopy | null }
  ) {
    this.plan = plan
    this.#runtime = runtime
    this.#session = session
    this.#copy = copy
    this.#allocator = runtime.api.make('createAllocator', session, runtime.deviceMemory)
  }

  newState(): CapiState {
    return new CapiState(this.#runtime, this.#session, this.#allocator, this.plan)
  }

  /**
   * Depth of one frame, float32 height x width, computed on a thread of its own. Aborting the signal ends the run within
   * one operator; the state is then as it was before. Throws EXECUTOR_FAILED.
   */
  async step(
    state: CapiState,
    framesSeen: number,
    frame: Uint8Array,
    signal?: AbortSignal
  ): Promise<Float32Array> {
    const { api } = this.#runtime
    const window = this.plan.mode === 'single' ? null : stepFeed(this.plan, framesSeen)
    if (window && framesSeen === 0) await this.#clear(state)
    state.bind(frame, window)
    await this.#run(state, signal)
    api.call('synchronizeBoundOutputs', state.binding)
    if (window?.fillsRing) await this.#fillRing(state, window.writeSlot)
    return state.depth()
  }

  /** The rings, one after the other, as RingCache lays them out. */
  async toBytes(state: CapiState): Promise<Uint8Array> {
    return (await this.#copy?.download(state.data)) ?? new Uint8Array()
  }

  async fromBytes(bytes: Uint8Array): Promise<CapiState> {
    const expected = ringCacheBytes(this.plan)
    if (bytes.length !== expected)
      throw new LeadlineError(
        'EXECUTOR_FAILED',
        `A latent cache of this plan has ${expected} bytes, not ${bytes.length}; was it exported from another?`
      )
    const state = this.newState()
    await this.#copy?.upload(bytes, state.data)
    return state
  }

  /** Its states are to be closed before. */
  close(): void {
    this.#runtime.api.release('allocator', this.#allocator)
    this.#copy?.close()
    this.#runtime.api.release('session', this.#session)
  }

  async #run(state: CapiState, signal?: AbortSignal): Promise<void> {
    const { api } = this.#runtime
    const terminate = (): void => api.call('runOptionsSetTerminate', state.runOptions)
    signal?.throwIfAborted()
    signal?.addEventListener('abort', terminate, { once: true })
    try {
      await api.callAsync('runWithBinding', this.#session, state.runOptions, state.binding)
    } finally {
      signal?.removeEventListener('abort', terminate)
      if (signal?.aborted) api.call('runOptionsUnsetTerminate', state.runOptions)
    }
  }

  /** Hidden slots weigh 0, yet 0 times a NaN that lay in the memory before would be NaN. */
  async #clear(state: CapiState): Promise<void> {
    if (state.isBlank) return
    await this.#copy?.upload(new Uint8Array(ringCacheBytes(this.plan)), state.data)
    state.isBlank = true
  }

  /** Once per video, so that the detour through the host costs nothing that matters. */
  async #fillRing(state: CapiState, slot: number): Promise<void> {
    if (!this.#copy) return
    const bytes = await this.#copy.download(state.data)
    const { slots } = windowShape(this.plan.mode, this.plan.cacheSize)
    let ringStart = 0
    for (const slotBytes of this.#slotBytes()) {
      const source = bytes.slice(ringStart + slot * slotBytes, ringStart + (slot + 1) * slotBytes)
      for (let other = 0; other < slots; other++) bytes.set(source, ringStart + other * slotBytes)
      ringStart += slots * slotBytes
    }
    await this.#copy.upload(bytes, state.data)
  }

  #slotBytes(): number[] {
    return latentLayout(this.plan).map(
      ({ rows, channels }) => rows * channels * Float32Array.BYTES_PER_ELEMENT
    )
  }
}
