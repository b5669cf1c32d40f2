/** frame: pixels in; depth: maps out; window: what a step is told about its rings; cache: latents. */
export type TransferKind = 'frame' | 'depth' | 'window' | 'cache'
export type Direction = 'toDevice' | 'toHost'

/** Bytes that have crossed between host and device, by kind, and the frames that were stepped meanwhile. */
export interface Transfers {
  /** Rows of all steps: frames. */
  frames: number
  toDevice: Record<TransferKind, number>
  toHost: Record<TransferKind, number>
}

export const noTransfers: Transfers = {
  frames: 0,
  toDevice: { frame: 0, depth: 0, window: 0, cache: 0 },
  toHost: { frame: 0, depth: 0, window: 0, cache: 0 }
}

/** Of several executors. */
export function sumOfTransfers(parts: readonly Transfers[]): Transfers {
  const sum = structuredClone(noTransfers)
  for (const part of parts) {
    sum.frames += part.frames
    for (const direction of ['toDevice', 'toHost'] as const)
      for (const kind of Object.keys(sum[direction]) as TransferKind[])
        sum[direction][kind] += part[direction][kind]
  }
  return sum
}

/** Counts what an executor moves. On the CPU, where host and device are one, it counts what a GPU would be sent. */
export class TransferCounter {
  #total = structuredClone(noTransfers)

  add(kind: TransferKind, direction: Direction, bytes: number): void {
    this.#total[direction][kind] += bytes
  }

  step(frames: number): void {
    this.#total.frames += frames
  }

  /** Since the executor began. */
  get total(): Transfers {
    return structuredClone(this.#total)
  }
}
