import { cacheName, latentName } from '../../latents/latents.ts'
import { depthOutput, frameInput } from '../../graph/step-graph.ts'
import { windowInputNames } from '../../graph/window-inputs.ts'
import { windowShape, type WindowFeed } from '../../latents/window.ts'
import type { NetworkPlan } from '../ort-node/ort-model.ts'
import type { TransferCounter } from '../../transfers.ts'
import type { Pointer } from './c-api.ts'
import type { CapiState } from './capi-state.ts'
import { ringWriting } from './device-graph.ts'
import type { Runtime } from './runtime.ts'
import { HostTensor } from './tensor.ts'

/** One row of a run: a state, its next frame, and what its rings hold; no window in mode single. */
export interface BatchRow {
  state: CapiState
  frame: Uint8Array
  window: WindowFeed | null
  /** As in a step. */
  into: Float32Array | undefined
}

interface WindowTensors {
  positions: HostTensor
  mask: HostTensor
  queryPosition: HostTensor
  /** Where the graph puts latents into the rings itself. */
  written?: HostTensor
}

/**
 * A plan's network for a fixed number of rows: its graph, and the host memory that a run reads and writes. The rings of
 * whichever states are stepped are bound in place, so that sessions share a run without sharing an allocation.
 */
export class CapiBatch {
  readonly size: number
  readonly #runtime: Runtime
  readonly #session: Pointer
  readonly #binding: Pointer
  readonly #runOptions: Pointer
  readonly #frames: HostTensor
  readonly #depths: HostTensor
  readonly #window: WindowTensors | null
  readonly #transfers: TransferCounter

  /** Takes over the OrtSession. */
  constructor(
    runtime: Runtime,
    session: Pointer,
    { plan, size, transfers }: { plan: NetworkPlan; size: number; transfers: TransferCounter }
  ) {
    const { api } = runtime
    const { height, width, mode } = plan
    const { slots } = windowShape(mode, plan.cacheSize)
    this.size = size
    this.#runtime = runtime
    this.#session = session
    this.#transfers = transfers
    this.#frames = new HostTensor(runtime, 'uint8', [size, height, width, 3])
    this.#depths = new HostTensor(runtime, 'float32', [size, height, width])
    this.#window =
      mode === 'single'
        ? null
        : {
            positions: new HostTensor(runtime, 'int64', [size, slots]),
            mask: new HostTensor(runtime, 'float32', [size, slots]),
            queryPosition: new HostTensor(runtime, 'int64', [size]),
            ...(ringWriting(runtime.device.device, plan.precision) === 'scattered' && {
              written: new HostTensor(runtime, 'float32', [size, slots])
            })
          }
    this.#runOptions = api.make('createRunOptions')
    this.#binding = api.make('createIoBinding', session)
    api.call('bindOutput', this.#binding, depthOutput, this.#depths.value)
  }

  /**
   * Depth of every row, float32 height x width, computed on a thread of its own. One run at a time. Aborting the signal
   * ends it within one operator. Throws EXECUTOR_FAILED.
   */
  async run(rows: readonly BatchRow[], signal?: AbortSignal): Promise<Float32Array[]> {
    const { api } = this.#runtime
    this.#bind(rows)
    // Host tensors are on their way to the device from when they are bound.
    api.call('synchronizeBoundInputs', this.#binding)
    const terminate = (): void => api.call('runOptionsSetTerminate', this.#runOptions)
    signal?.throwIfAborted()
    signal?.addEventListener('abort', terminate, { once: true })
    try {
      await api.callAsync('runWithBinding', this.#session, this.#runOptions, this.#binding)
    } finally {
      signal?.removeEventListener('abort', terminate)
      if (signal?.aborted) api.call('runOptionsUnsetTerminate', this.#runOptions)
    }
    api.call('synchronizeBoundOutputs', this.#binding)
    this.#transfers.add('depth', 'toHost', this.#depths.bytes.byteLength)
    const depths = this.#depths.floats
    const length = depths.length / this.size
    return rows.map(({ into }, row) => {
      const depth = depths.subarray(row * length, (row + 1) * length)
      if (!into) return depth.slice()
      into.set(depth)
      return into
    })
  }

  close(): void {
    const { api } = this.#runtime
    api.release('ioBinding', this.#binding)
    api.release('runOptions', this.#runOptions)
    for (const tensor of [this.#frames, this.#depths, ...Object.values(this.#window ?? {})]) tensor.close()
    api.release('session', this.#session)
  }

  #bind(rows: readonly BatchRow[]): void {
    const frameBytes = this.#frames.bytes.byteLength / this.size
    for (const [row, { frame }] of rows.entries()) this.#frames.bytes.set(frame, row * frameBytes)
    this.#send('frame', frameInput, this.#frames)
    if (!this.#window) return
    const { positions, mask, queryPosition, written } = this.#window
    written?.floats.fill(0)
    for (const [row, { window, state }] of rows.entries()) {
      if (!window) continue
      const { length } = window.mask
      positions.integers.set(BigInt64Array.from(window.positions, BigInt), row * length)
      mask.floats.set(window.mask, row * length)
      queryPosition.integers[row] = BigInt(window.queryPosition)
      written?.floats.fill(1, row * length + window.writeSlot, row * length + window.writeSlot + 1)
      this.#bindRings(row, state, window.writeSlot)
    }
    this.#send('window', windowInputNames.positions, positions)
    this.#send('window', windowInputNames.mask, mask)
    this.#send('window', windowInputNames.queryPosition, queryPosition)
    if (written) this.#send('window', windowInputNames.written, written)
  }

  /** Addresses alone: what lies on the device is bound, not copied. */
  #bindRings(row: number, state: CapiState, writeSlot: number): void {
    const { api } = this.#runtime
    for (const [index, ring] of state.rings.entries())
      api.call('bindInput', this.#binding, cacheName(index, row), ring)
    for (const [index, latent] of state.slots[writeSlot]!.entries())
      api.call('bindOutput', this.#binding, latentName(index, row), latent)
    state.isBlank = false
  }

  /** A device takes its copy of a host tensor when it is bound. */
  #send(kind: 'frame' | 'window', name: string, tensor: HostTensor): void {
    this.#runtime.api.call('bindInput', this.#binding, name, tensor.value)
    this.#transfers.add(kind, 'toDevice', tensor.bytes.byteLength)
  }
}
