import type { SliceRow } from '../../executor.ts'
import { depthOutput, frameInput } from '../../graph/step-graph.ts'
import type { StageGraph } from '../../graph/window-graphs.ts'
import { windowInputNames } from '../../graph/window-inputs.ts'
import { VDA_WINDOW } from '../../latents/window.ts'
import type { TransferCounter, TransferKind } from '../../transfers.ts'
import type { NetworkPlan } from '../ort-node/ort-model.ts'
import type { Pointer } from './c-api.ts'
import type { CapiWindowState } from './capi-window-state.ts'
import type { Runtime } from './runtime.ts'
import { HostTensor, type ElementType } from './tensor.ts'

interface HostInput {
  kind: TransferKind
  tensor: HostTensor
}

/** One stage of the network of mode vda-window: its graph, and the host memory that a run reads and writes. */
export class CapiStage {
  readonly #runtime: Runtime
  readonly #session: Pointer
  readonly #binding: Pointer
  readonly #runOptions: Pointer
  readonly #names: Pick<StageGraph, 'inputs' | 'outputs'>
  /** What of its inputs lies in host memory, by name. */
  readonly #host = new Map<string, HostInput>()
  readonly #depth: HostTensor | null
  readonly #transfers: TransferCounter

  /** Takes over the OrtSession. */
  constructor(
    runtime: Runtime,
    session: Pointer,
    parts: { plan: NetworkPlan; graph: Pick<StageGraph, 'inputs' | 'outputs'>; transfers: TransferCounter }
  ) {
    const { height, width } = parts.plan
    this.#runtime = runtime
    this.#session = session
    this.#names = parts.graph
    this.#transfers = parts.transfers
    this.#runOptions = runtime.api.make('createRunOptions')
    this.#binding = runtime.api.make('createIoBinding', session)
    this.#addHostInput('frame', frameInput, 'uint8', [1, height, width, 3])
    this.#addHostInput('window', windowInputNames.positions, 'int64', [1, VDA_WINDOW])
    this.#addHostInput('window', windowInputNames.mask, 'float32', [1, VDA_WINDOW])
    this.#addHostInput('window', windowInputNames.queryPosition, 'int64', [1])
    // In an offline window every frame sees every other, itself among them.
    this.#host.get(windowInputNames.mask)?.tensor.floats.fill(0)
    const givesDepth = parts.graph.outputs.includes(depthOutput)
    this.#depth = givesDepth ? new HostTensor(runtime, 'float32', [1, height, width]) : null
  }

  /** Runs it for one frame, on a thread of its own. The depth, float32 height x width, where it gives one. One run at a time. */
  async run(state: CapiWindowState, row: Omit<SliceRow, 'state' | 'stage'>): Promise<Float32Array | null> {
    const { api } = this.#runtime
    this.#fill(row)
    this.#bind(state, row.slot)
    // Host tensors are on their way to the device from when they are bound.
    api.call('synchronizeBoundInputs', this.#binding)
    await api.callAsync('runWithBinding', this.#session, this.#runOptions, this.#binding)
    api.call('synchronizeBoundOutputs', this.#binding)
    if (!this.#depth) return null
    this.#transfers.add('depth', 'toHost', this.#depth.bytes.byteLength)
    return Float32Array.from(this.#depth.floats)
  }

  close(): void {
    const { api } = this.#runtime
    api.release('ioBinding', this.#binding)
    api.release('runOptions', this.#runOptions)
    for (const { tensor } of this.#host.values()) tensor.close()
    this.#depth?.close()
    api.release('session', this.#session)
  }

  #addHostInput(kind: TransferKind, name: string, type: ElementType, dims: readonly number[]): void {
    if (!this.#names.inputs.includes(name)) return
    this.#host.set(name, { kind, tensor: new HostTensor(this.#runtime, type, dims) })
  }

  #fill({ frame, places, slot }: Omit<SliceRow, 'state' | 'stage'>): void {
    if (frame) this.#host.get(frameInput)?.tensor.bytes.set(frame)
    this.#host.get(windowInputNames.positions)?.tensor.integers.set(BigInt64Array.from(places, BigInt))
    this.#host.get(windowInputNames.queryPosition)?.tensor.integers.set([BigInt(places[slot]!)])
  }

  /** Addresses alone for what lies on the device; a host tensor is copied to it when it is bound. */
  #bind(state: CapiWindowState, slot: number): void {
    const { api } = this.#runtime
    const values = state.slots[slot]!
    for (const name of this.#names.inputs) {
      const host = this.#host.get(name)
      const value = host?.tensor.value ?? values.get(name) ?? state.rings.get(name)!
      api.call('bindInput', this.#binding, name, value)
      if (host) this.#transfers.add(host.kind, 'toDevice', host.tensor.bytes.byteLength)
    }
    for (const name of this.#names.outputs)
      api.call('bindOutput', this.#binding, name, values.get(name) ?? this.#depth!.value)
  }
}
