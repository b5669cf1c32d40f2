import type { Tensor } from 'onnxruntime-node'

/**
 * One state: its rings, by the name under which the network takes them. On the device from the first step on; before it,
 * and in mode single, there are none. A tensor on the device that nobody disposes is lost for good.
 */
export class DeviceRings {
  #tensors: readonly Tensor[] | null

  constructor(tensors: readonly Tensor[] | null = null) {
    this.#tensors = tensors
  }

  get tensors(): readonly Tensor[] | null {
    return this.#tensors
  }

  /** What a step left takes the place of what it read. No run may be using the old ones. */
  replace(tensors: readonly Tensor[]): void {
    this.dispose()
    this.#tensors = tensors
  }

  /** Twice without harm. No run may be using them, and a session that made them, or any, must still be loaded. */
  dispose(): void {
    for (const tensor of this.#tensors ?? []) tensor.dispose()
    this.#tensors = null
  }
}
