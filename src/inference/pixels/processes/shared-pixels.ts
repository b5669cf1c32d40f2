import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SharedMemory } from '../../executors/process/shared-memory.ts'

/** Address space that a process for pictures and its supervisor share, not memory. */
export const sharedBytes = 2 ** 28

/** File descriptor of that memory in the process: the place after its channel. */
export const memoryFd = 4

/** Copied in a turn of the event loop, about a millisecond's work: the largest pictures have a hundred MB. */
const pieceBytes = 2 ** 22

/** The supervisor's copies into and out of that memory, each of which ends before it is closed. */
export class SharedPixels {
  readonly #memory: SharedMemory
  #numCopying = 0
  #isOver = false

  constructor(memory: SharedMemory) {
    this.#memory = memory
  }

  /** Whether it fits. */
  async lay(at: number, bytes: Uint8Array): Promise<boolean> {
    if (!this.#has(at, bytes.byteLength)) return false
    await this.#copy(bytes.byteLength, (from, to) =>
      this.#memory.bytes.set(bytes.subarray(from, to), at + from)
    )
    return true
  }

  /** A copy of what lies there; null: nothing can. */
  async take(at: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!this.#has(at, length)) return null
    const taken = new Uint8Array(length)
    await this.#copy(length, (from, to) => taken.set(this.#memory.bytes.subarray(at + from, at + to), from))
    return taken
  }

  /** Once nothing is copied. Twice without harm. */
  close(): void {
    this.#isOver = true
    if (this.#numCopying === 0) this.#memory.close()
  }

  #has(at: number, length: number): boolean {
    return !this.#isOver && at >= 0 && length >= 0 && at + length <= sharedBytes
  }

  async #copy(length: number, piece: (from: number, to: number) => void): Promise<void> {
    this.#numCopying += 1
    for (let from = 0; from < length; from += pieceBytes) {
      if (from > 0) await nextTurn()
      piece(from, Math.min(length, from + pieceBytes))
    }
    this.#numCopying -= 1
    if (this.#isOver) this.close()
  }
}
