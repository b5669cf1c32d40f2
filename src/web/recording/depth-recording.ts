import { zipSync } from 'fflate'
import type { DepthResult } from '../../client/index.ts'
import { npyFile } from '../../maps/npy.ts'
import type { NpyArray } from '../../maps/npy.ts'

/** What a tab can hold beside all else, and once more while the archive is made. */
const maxBytes = 2 ** 29

/** Depth maps one after the other, to be had as npz. */
export class DepthRecording {
  readonly #maps: DepthResult[] = []
  #bytes = 0

  get frames(): number {
    return this.#maps.length
  }

  /** False for a map that is of another size or meaning than the first, or for which there is no room: it is the end. */
  add(depth: DepthResult): boolean {
    const { header } = this.#maps[0] ?? depth
    const { width, height, quantity } = depth.header
    const isAlike = width === header.width && height === header.height && quantity === header.quantity
    this.#bytes += width * height * 4
    if (!isAlike || this.#bytes > maxBytes) return false
    this.#maps.push(depth)
    return true
  }

  /**
   * `depth` [frames, height, width] as float32 in `quantity`, `times` [frames] in seconds, `epoch` [frames]: the scale of
   * relative depth holds within one. `scale` and `offset` are those of plain values, as in every npz.
   */
  npz(): Blob {
    const { width, height, quantity } = this.#maps[0]!.header
    const depth = new Float32Array(this.#maps.length * width * height)
    this.#maps.forEach((map, i) => depth.set(map.values(), i * width * height))
    const times = Float64Array.from(this.#maps, ({ header }) => header.timestampUs / 1e6)
    const epochs = Int32Array.from(this.#maps, ({ header }) => header.epoch)
    const arrays: Record<string, NpyArray> = {
      depth: { type: '<f4', shape: [this.#maps.length, height, width], values: depth },
      times: { type: '<f8', shape: [times.length], values: times },
      scale: { type: '<f8', shape: [times.length], values: new Float64Array(times.length).fill(1) },
      offset: { type: '<f8', shape: [times.length], values: new Float64Array(times.length) },
      epoch: { type: '<i4', shape: [epochs.length], values: epochs },
      quantity: { type: '<U', text: quantity }
    }
    const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npyFile(array)] as const)
    const zip = zipSync(Object.fromEntries(files), { level: 0 })
    return new Blob([zip as Uint8Array<ArrayBuffer>], { type: 'application/zip' })
  }
}
