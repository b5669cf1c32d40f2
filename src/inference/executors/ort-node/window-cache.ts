import { Tensor } from 'onnxruntime-node'
import { cacheName, latentName, latentShapes } from '../../latents/latents.ts'
import { VDA_WINDOW } from '../../latents/window.ts'
import {
  windowCacheBytes,
  windowCacheLayout,
  type WindowCachePlan
} from '../../latents/window-cache-layout.ts'
import { checkStateBytes } from '../refusals.ts'

type Tensors = Readonly<Record<string, Tensor>>

/** One state of mode vda-window on the CPU: what each stage leaves for the next, for 32 frames, in one buffer. */
export class WindowCache {
  /** The latents of all frames, by the name of their ring. */
  readonly rings: Tensors
  /** The values of each slot's frame, by name. */
  readonly slots: readonly Tensors[]
  private readonly buffer: Float32Array

  constructor(plan: WindowCachePlan) {
    const { values, length } = windowCacheLayout(plan)
    this.buffer = new Float32Array(length)
    this.slots = Array.from({ length: VDA_WINDOW }, (_, slot) =>
      Object.fromEntries(
        values.map(({ name, dims, offset, size }) => {
          const begin = offset + slot * size
          return [name, new Tensor('float32', this.buffer.subarray(begin, begin + size), dims)]
        })
      )
    )
    const byName = new Map(values.map((value) => [value.name, value]))
    const shapes = latentShapes(plan.architecture, plan.height, plan.width)
    this.rings = Object.fromEntries(
      shapes.map(({ rows, channels }, index) => {
        const { offset, size } = byName.get(latentName(index))!
        const data = this.buffer.subarray(offset, offset + VDA_WINDOW * size)
        return [cacheName(index), new Tensor('float32', data, [VDA_WINDOW, rows, channels])]
      })
    )
  }

  toBytes(): Uint8Array {
    return new Uint8Array(this.buffer.buffer.slice(0))
  }

  static fromBytes(plan: WindowCachePlan, bytes: Uint8Array): WindowCache {
    const expected = windowCacheBytes(plan)
    checkStateBytes('window', bytes, expected)
    const cache = new WindowCache(plan)
    new Uint8Array(cache.buffer.buffer).set(bytes)
    return cache
  }
}
