import type { Beginning, IdempotencyBook, Recorded } from './idempotency-book.ts'
import { recordedMs } from './idempotency-book.ts'

interface Entry {
  recorded: Recorded | null
  untilMs: number
}

/** The book of one process. */
export class MemoryIdempotencyBook implements IdempotencyBook {
  /** In the order in which they were written last. */
  readonly #entries = new Map<string, Entry>()

  async begin(name: string, holdMs: number): Promise<Beginning> {
    this.#dropOld()
    const entry = this.#entries.get(name)
    if (entry && entry.untilMs > performance.now()) return entry.recorded ?? 'pending'
    this.#write(name, null, holdMs)
    return 'begun'
  }

  async hold(name: string, holdMs: number): Promise<void> {
    this.#write(name, null, holdMs)
  }

  async record(name: string, recorded: Recorded): Promise<void> {
    this.#write(name, recorded, recordedMs)
  }

  async forget(name: string): Promise<void> {
    this.#entries.delete(name)
  }

  #write(name: string, recorded: Recorded | null, forMs: number): void {
    this.#entries.delete(name)
    this.#entries.set(name, { recorded, untilMs: performance.now() + forMs })
  }

  #dropOld(): void {
    const nowMs = performance.now()
    for (const [name, { untilMs }] of this.#entries) if (untilMs <= nowMs) this.#entries.delete(name)
  }
}
