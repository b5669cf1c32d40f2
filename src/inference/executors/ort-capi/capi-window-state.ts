import type { Precision } from '../../../manifest.ts'
import { floatTypeOf, latentElementBytes } from '../../latents/float-type.ts'
import { cacheName, latentName, latentShapes } from '../../latents/latents.ts'
import { VDA_WINDOW } from '../../latents/window.ts'
import {
  windowCacheBytes,
  windowCacheLayout,
  type WindowCachePlan
} from '../../latents/window-cache-layout.ts'
import type { Pointer } from './c-api.ts'
import type { Runtime } from './runtime.ts'
import type { StateMemory } from './state-memory.ts'
import { tensorOver } from './tensor.ts'

type Values = ReadonlyMap<string, Pointer>

/** One state of mode vda-window: what each stage leaves for the next, for 32 frames, in one allocation on the device. */
export class CapiWindowState {
  /** Where the allocation begins. */
  readonly data: Pointer
  /** The latents of all frames, by the name of their ring. */
  readonly rings: Values
  /** The values of each slot's frame, by name. */
  readonly slots: readonly Values[]
  readonly #runtime: Runtime
  readonly #memory: StateMemory
  readonly #precision: Precision | undefined

  constructor(runtime: Runtime, memory: StateMemory, plan: WindowCachePlan) {
    this.#runtime = runtime
    this.#memory = memory
    this.#precision = plan.precision
    this.data = memory.take(windowCacheBytes(plan))
    const { values } = windowCacheLayout(plan)
    this.slots = Array.from(
      { length: VDA_WINDOW },
      (_, slot) =>
        new Map(values.map(({ name, dims, offset, size }) => [name, this.#over(offset + slot * size, dims)]))
    )
    const offsets = new Map(values.map(({ name, offset }) => [name, offset]))
    const shapes = latentShapes(plan.architecture, plan.height, plan.width)
    this.rings = new Map(
      shapes.map(({ rows, channels }, index) => [
        cacheName(index),
        this.#over(offsets.get(latentName(index))!, [VDA_WINDOW, rows, channels])
      ])
    )
  }

  /** No run may be using it. */
  close(): void {
    const { api } = this.#runtime
    for (const values of [this.rings, ...this.slots])
      for (const value of values.values()) api.release('value', value)
    this.#memory.free(this.data)
  }

  /** `offset` in elements. */
  #over(offset: number, dims: readonly number[]): Pointer {
    const data = this.data + BigInt(offset * latentElementBytes(this.#precision))
    return tensorOver(this.#runtime, this.#runtime.deviceMemory, {
      data,
      type: floatTypeOf(this.#precision),
      dims
    })
  }
}
