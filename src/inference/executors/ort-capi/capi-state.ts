import { latentLayout, ringCacheBytes, type RingPlan } from '../../latents/ring-cache-layout.ts'
import { windowShape } from '../../latents/window.ts'
import { floatTypeOf, latentElementBytes, type FloatType } from '../../latents/float-type.ts'
import type { Pointer } from './c-api.ts'
import type { Runtime } from './runtime.ts'
import type { StateMemory } from './state-memory.ts'
import { tensorOver } from './tensor.ts'

/**
 * One state: a single allocation on the device with the eight rings in it, end to end. A run reads the rings and writes
 * its latents onto the slot that is due, inside the rings, so that no cache byte is copied or moved.
 */
export class CapiState {
  /** Where the allocation begins; 0 where frames stand alone. */
  readonly data: Pointer
  /** The eight rings. */
  readonly rings: readonly Pointer[]
  /** Per slot, the eight latents that a frame's latents go to. */
  readonly slots: readonly (readonly Pointer[])[]
  /** Whether the rings hold nothing but zeros. New device memory holds anything. */
  isBlank = false
  readonly #runtime: Runtime
  readonly #memory: StateMemory
  readonly #type: FloatType

  constructor(runtime: Runtime, memory: StateMemory, plan: RingPlan) {
    const { slots } = windowShape(plan.mode, plan.cacheSize)
    this.#runtime = runtime
    this.#memory = memory
    this.#type = floatTypeOf(plan.precision)
    this.data = slots === 0 ? 0n : memory.take(ringCacheBytes(plan))
    const rings: Pointer[] = []
    const latents: Pointer[][] = Array.from({ length: slots }, () => [])
    const elementBytes = latentElementBytes(plan.precision)
    let data = this.data
    for (const { rows, channels } of latentLayout(plan)) {
      rings.push(this.#over(data, [slots, rows, channels]))
      for (const latent of latents) {
        latent.push(this.#over(data, [rows, channels]))
        data += BigInt(rows * channels * elementBytes)
      }
    }
    this.rings = rings
    this.slots = latents
  }

  /** No run may be using it. */
  close(): void {
    const { api } = this.#runtime
    for (const value of [...this.rings, ...this.slots.flat()]) api.release('value', value)
    if (this.data !== 0n) this.#memory.free(this.data)
  }

  #over(data: Pointer, dims: readonly number[]): Pointer {
    return tensorOver(this.#runtime, this.#runtime.deviceMemory, { data, type: this.#type, dims })
  }
}
