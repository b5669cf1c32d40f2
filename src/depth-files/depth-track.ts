import type { Quantity } from '../wire/frame.ts'
import type { NpyArray } from '../maps/npy.ts'
import type { Size } from '../video/index.ts'
import type { AffineLevels } from './depth-file.ts'
import { unitOf } from '../maps/unit.ts'

/** What is to be known of each map of a file beside its values, under the same names in every format. */
export class DepthTrack {
  readonly #quantity: Quantity
  readonly #size: Size
  readonly #times: number[] = []
  readonly #scales: number[] = []
  readonly #offsets: number[] = []
  readonly #epochs: number[] = []

  constructor({ quantity, size }: { quantity: Quantity; size: Size }) {
    this.#quantity = quantity
    this.#size = size
  }

  get count(): number {
    return this.#times.length
  }

  add({ timestampUs, epoch }: { timestampUs: number; epoch: number }, { scale, offset }: AffineLevels): void {
    this.#times.push(timestampUs / 1e6)
    this.#scales.push(scale)
    this.#offsets.push(offset)
    this.#epochs.push(epoch)
  }

  /** Quantity, unit and size of all maps; of each its time in seconds, scale, offset and epoch. */
  json(): string {
    const { width, height } = this.#size
    const each = { times: this.#times, scale: this.#scales, offset: this.#offsets, epoch: this.#epochs }
    return JSON.stringify({ quantity: this.#quantity, unit: unitOf(this.#quantity), width, height, ...each })
  }

  /** The same as arrays of an npz. */
  arrays(): Record<string, NpyArray> {
    const shape = [this.count]
    return {
      times: { type: '<f8', shape, values: Float64Array.from(this.#times) },
      scale: { type: '<f8', shape, values: Float64Array.from(this.#scales) },
      offset: { type: '<f8', shape, values: Float64Array.from(this.#offsets) },
      epoch: { type: '<i4', shape, values: Int32Array.from(this.#epochs) },
      quantity: { type: '<U', text: this.#quantity }
    }
  }
}
