/** A part of some memory, in bytes. */
export interface Span {
  offset: number
  length: number
}

/** Every span begins at a multiple of this: a cache line, and more than any element. */
const alignment = 64

/** Which parts of a memory are in use. First fit: the lowest bytes are used again and again, and the rest never touched. */
export class Spans {
  readonly #capacity: number
  /** In the order of their offsets. */
  readonly #taken: Span[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Null when no gap is large enough. */
  take(length: number): Span | null {
    let offset = 0
    let index = 0
    for (; index < this.#taken.length; index++) {
      const next = this.#taken[index]!
      if (offset + length <= next.offset) break
      offset = aligned(next.offset + next.length)
    }
    if (offset + length > this.#capacity) return null
    const span = { offset, length }
    this.#taken.splice(index, 0, span)
    return span
  }

  /** What `take` gave; twice without harm. */
  give(span: Span): void {
    const index = this.#taken.indexOf(span)
    if (index >= 0) this.#taken.splice(index, 1)
  }
}

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment
}
