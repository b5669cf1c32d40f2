import type { Slice } from '../engine/taken-slice.ts'

/**
 * The slices that made what the present window holds on the device, to be run again should that be lost: stage 0 of each
 * frame, as far as they are there, then those of later stages in their order. Every window is made of its own 32 frames
 * and nothing else, so the values are the same again.
 */
export class SliceReplay<S extends Slice> {
  readonly #keepsFrames: boolean
  /** By slot. */
  readonly #frames = new Map<number, S>()
  #later: S[] = []
  #isLost = false
  #queue: S[] = []

  /** Without leave to keep frames nothing can be run again. */
  constructor({ keepsFrames }: { keepsFrames: boolean }) {
    this.#keepsFrames = keepsFrames
  }

  /** A slice is run for the first time. Should it be cut off, it runs among the others and once more: that changes nothing. */
  record(slice: S): void {
    if (!this.#keepsFrames) return
    if (slice.stage > 0) return void this.#later.push(slice)
    this.#later = []
    this.#frames.set(slice.slot, slice)
  }

  clear(): void {
    this.#frames.clear()
    this.#later = []
    this.#queue = []
    this.#isLost = false
  }

  lose(): void {
    this.#isLost = true
  }

  /** The next slice to run again; null when all is as it was. */
  next(): S | null {
    if (this.#isLost) this.#queue = [...this.#frames.values(), ...this.#later]
    this.#isLost = false
    return this.#queue[0] ?? null
  }

  /** The slice that `next` gave is run. */
  advance(): void {
    this.#queue.shift()
  }
}
