import { Tensor } from 'onnxruntime-node'
import { cacheName, latentName } from '../../latents/latents.ts'
import { windowShape } from '../../latents/window.ts'
import { latentLayout, ringCacheBytes, type RingPlan } from '../../latents/ring-cache-layout.ts'
import { checkStateBytes } from '../refusals.ts'

/**
 * One state on the CPU: a ring of L slots per temporal attention, slot-major, in buffers that live as long as the
 * state. Tensors are made over them once; the network reads the rings as inputs and writes its latents straight into
 * the slot that is due before it reads them.
 */
export class RingCache {
  readonly feeds: Readonly<Record<string, Tensor>>
  private readonly rings: readonly Float32Array[]
  private readonly slots: readonly Readonly<Record<string, Tensor>>[]
  private isBlank = true

  constructor(plan: RingPlan) {
    const layout = latentLayout(plan)
    const { slots: slotCount } = windowShape(plan.mode, plan.cacheSize)
    this.rings = layout.map(({ rows, channels }) => new Float32Array(slotCount * rows * channels))
    this.feeds = Object.fromEntries(
      layout.map(({ rows, channels }, index) => [
        cacheName(index),
        new Tensor('float32', this.rings[index]!, [slotCount, rows, channels])
      ])
    )
    this.slots = Array.from({ length: slotCount }, (_, slot) =>
      Object.fromEntries(
        layout.map(({ rows, channels }, index) => {
          const size = rows * channels
          const latent = this.rings[index]!.subarray(slot * size, (slot + 1) * size)
          return [latentName(index), new Tensor('float32', latent, [rows, channels])]
        })
      )
    )
  }

  /** Output tensors that lie inside the rings. */
  fetches(slot: number): Readonly<Record<string, Tensor>> {
    this.isBlank = false
    return this.slots[slot]!
  }

  /** Copies what lies in a slot into every other one. */
  fillFrom(slot: number): void {
    for (const ring of this.rings) {
      const size = ring.length / this.slots.length
      const source = ring.subarray(slot * size, (slot + 1) * size)
      for (let other = 0; other < this.slots.length; other++)
        if (other !== slot) ring.set(source, other * size)
    }
  }

  /** Hidden slots weigh 0, yet 0 times a NaN that an earlier video left behind would be NaN. */
  clear(): void {
    if (this.isBlank) return
    for (const ring of this.rings) ring.fill(0)
    this.isBlank = true
  }

  toBytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.rings.map((ring) => new Uint8Array(ring.buffer))))
  }

  static fromBytes(plan: RingPlan, bytes: Uint8Array): RingCache {
    const expected = ringCacheBytes(plan)
    checkStateBytes('latent cache', bytes, expected)
    const cache = new RingCache(plan)
    let offset = 0
    for (const ring of cache.rings) {
      new Uint8Array(ring.buffer).set(bytes.subarray(offset, offset + ring.byteLength))
      offset += ring.byteLength
    }
    cache.isBlank = false
    return cache
  }
}
