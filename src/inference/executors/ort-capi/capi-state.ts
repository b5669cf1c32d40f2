import { cacheName, latentName } from '../../graph/latents.ts'
import { depthOutput, frameInput } from '../../graph/step-graph.ts'
import { windowInputNames } from '../../graph/window-inputs.ts'
import { windowShape, type WindowFeed } from '../../graph/window.ts'
import type { NetworkPlan } from '../ort-model.ts'
import { latentLayout, ringCacheBytes } from '../ring-cache-layout.ts'
import type { Pointer } from './c-api.ts'
import type { Runtime } from './runtime.ts'
import { HostTensor, tensorOver } from './tensor.ts'

const floatBytes = Float32Array.BYTES_PER_ELEMENT

/**
 * One state: a single allocation on the device with the eight rings in it, end to end, and the host tensors of a step.
 * The rings are bound once; every step binds its latents onto the slot that is due, inside the rings, so that no cache
 * byte is copied or moved.
 */
export class CapiState {
  readonly binding: Pointer
  readonly runOptions: Pointer
  readonly data: Pointer
  /** Whether the rings hold nothing but zeros. New device memory holds anything. */
  isBlank = false
  readonly #runtime: Runtime
  readonly #allocator: Pointer
  readonly #frame: HostTensor
  readonly #depth: HostTensor
  readonly #window: { positions: HostTensor; mask: HostTensor; queryPosition: HostTensor } | null
  readonly #rings: Pointer[] = []
  /** Per slot, the eight places that a frame's latents go to. */
  readonly #slots: Pointer[][] = []

  constructor(runtime: Runtime, session: Pointer, allocator: Pointer, plan: NetworkPlan) {
    const { api } = runtime
    const { height, width, mode } = plan
    const { slots } = windowShape(mode, plan.cacheSize)
    this.#runtime = runtime
    this.#allocator = allocator
    this.#frame = new HostTensor(runtime, 'uint8', [1, height, width, 3])
    this.#depth = new HostTensor(runtime, 'float32', [1, height, width])
    this.#window =
      mode === 'single'
        ? null
        : {
            positions: new HostTensor(runtime, 'int64', [1, slots]),
            mask: new HostTensor(runtime, 'float32', [1, slots]),
            queryPosition: new HostTensor(runtime, 'int64', [1])
          }
    this.data = slots === 0 ? 0n : api.make('allocatorAlloc', allocator, ringCacheBytes(plan))
    this.#layOut(plan, slots)
    this.runOptions = api.make('createRunOptions')
    this.binding = api.make('createIoBinding', session)
    for (const [index, ring] of this.#rings.entries())
      api.call('bindInput', this.binding, cacheName(index), ring)
    api.call('bindOutput', this.binding, depthOutput, this.#depth.value)
  }

  /** Bind what one step reads and writes. A device takes its copy of a host tensor when it is bound. */
  bind(frame: Uint8Array, window: WindowFeed | null): void {
    const { api } = this.#runtime
    this.#frame.bytes.set(frame)
    api.call('bindInput', this.binding, frameInput, this.#frame.value)
    if (!this.#window || !window) return
    const { positions, mask, queryPosition } = this.#window
    positions.integers.set(BigInt64Array.from(window.positions, BigInt))
    mask.floats.set(window.mask)
    queryPosition.integers[0] = BigInt(window.queryPosition)
    api.call('bindInput', this.binding, windowInputNames.positions, positions.value)
    api.call('bindInput', this.binding, windowInputNames.mask, mask.value)
    api.call('bindInput', this.binding, windowInputNames.queryPosition, queryPosition.value)
    for (const [index, place] of this.#slots[window.writeSlot]!.entries())
      api.call('bindOutput', this.binding, latentName(index), place)
    this.isBlank = false
  }

  /** A copy of the depth of the last step. */
  depth(): Float32Array {
    return Float32Array.from(this.#depth.floats)
  }

  /** No run may be using it. */
  close(): void {
    const { api } = this.#runtime
    api.release('ioBinding', this.binding)
    api.release('runOptions', this.runOptions)
    for (const value of [...this.#rings, ...this.#slots.flat()]) api.release('value', value)
    if (this.data !== 0n) api.call('allocatorFree', this.#allocator, this.data)
    for (const tensor of [this.#frame, this.#depth, ...Object.values(this.#window ?? {})]) tensor.close()
  }

  #layOut(plan: NetworkPlan, slots: number): void {
    const { deviceMemory } = this.#runtime
    const layout = latentLayout(plan)
    let data = this.data
    for (let slot = 0; slot < slots; slot++) this.#slots.push([])
    for (const { rows, channels } of layout) {
      const slotBytes = BigInt(rows * channels * floatBytes)
      const over = (at: Pointer, dims: readonly number[]): Pointer =>
        tensorOver(this.#runtime, deviceMemory, { data: at, type: 'float32', dims })
      this.#rings.push(over(data, [slots, rows, channels]))
      for (let slot = 0; slot < slots; slot++) {
        this.#slots[slot]!.push(over(data, [rows, channels]))
        data += slotBytes
      }
    }
  }
}
