import { waterLevel } from './water-level.ts'
import type { Holding } from './water-level.ts'

export interface RingHolder extends Readonly<Holding> {
  /** Give what can be given until no more than this is held. */
  shrinkTo(bytes: number): void
}

/** To how much of the budget the rings shrink when it is used up: shares are worked out once for many frames. */
const shrunkTo = 0.95

/** One number of bytes for the rings of all sessions of a gateway. The largest give first. */
export class RingBudget {
  readonly capacityBytes: number
  readonly #holders = new Set<RingHolder>()
  #heldBytes = 0

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  join(holder: RingHolder): void {
    this.#holders.add(holder)
    this.#heldBytes += holder.heldBytes
  }

  leave(holder: RingHolder): void {
    if (this.#holders.delete(holder)) this.#heldBytes -= holder.heldBytes
  }

  /** A holder that has joined holds this much more now, or less. */
  changed(bytes: number): void {
    this.#heldBytes += bytes
    if (this.#heldBytes > this.capacityBytes) this.#shrink()
  }

  /** Those that have nothing to give are looked at no further. */
  #shrink(): void {
    const giving = [...this.#holders].filter(({ heldBytes, floorBytes }) => heldBytes > floorBytes)
    if (giving.length === 0) return
    const givingBytes = giving.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
    const level = waterLevel(giving, this.capacityBytes * shrunkTo - (this.#heldBytes - givingBytes))
    for (const holder of giving) {
      const before = holder.heldBytes
      if (before > level) holder.shrinkTo(level)
      this.#heldBytes += holder.heldBytes - before
    }
  }
}
