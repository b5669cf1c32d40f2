import { LeadlineError } from '../../errors.ts'

/**
 * The memory that sessions hold, in bytes. A session's worst case is reserved when it opens and never exceeded:
 * running out of memory in the middle of a stream is impossible by design.
 */
export class MemoryReservations {
  readonly capacityBytes: number
  readonly #reserved = new Map<string, number>()
  #reservedBytes = 0

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes
  }

  get reservedBytes(): number {
    return this.#reservedBytes
  }

  /** 0 of one that holds none. */
  bytesOf(sessionId: string): number {
    return this.#reserved.get(sessionId) ?? 0
  }

  hasRoomFor(bytes: number): boolean {
    return bytes <= this.capacityBytes - this.#reservedBytes
  }

  /** Throws NO_CAPACITY, with the numbers, when the bytes do not fit. */
  reserve(sessionId: string, bytes: number): void {
    const freeBytes = this.capacityBytes - this.#reservedBytes
    if (!this.hasRoomFor(bytes)) {
      throw new LeadlineError(
        'NO_CAPACITY',
        `The session needs ${bytes} bytes of device memory; ${freeBytes} of ${this.capacityBytes} are free ` +
          `(${this.#reserved.size} sessions are open)`
      )
    }
    this.#reserved.set(sessionId, bytes)
    this.#reservedBytes += bytes
  }

  /** Unknown sessions are ignored: freeing twice does no harm. */
  free(sessionId: string): void {
    this.#reservedBytes -= this.#reserved.get(sessionId) ?? 0
    this.#reserved.delete(sessionId)
  }
}
