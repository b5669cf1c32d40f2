import { readOnMs } from './pace.ts'

/** So many streams are named in every read: that costs less than to be told of them. */
const fewStreams = 32
/** Every stream is named so often, whatever was told: a Redis that forgets takes rings with it. */
const sweepMs = 1000

/** What a read has shown of a stream. */
export interface Seen {
  /** Its last entry says that more follow at once. */
  isSteady: boolean
  /** It may have held more than was read. */
  isFull: boolean
}

/** Which of many streams the next read names: a read takes Redis and reader a microsecond for every one of them. */
export class ReadPlan {
  readonly #few: number
  readonly #keys = new Set<string>()
  /** Named in every read. */
  readonly #always = new Set<string>()
  /** Added, or told of, since they were named last. */
  readonly #due = new Set<string>()
  /** Until when they are read without being told of. */
  readonly #steady = new Map<string, number>()
  #sweptAtMs = -Infinity

  constructor(few = fewStreams) {
    this.#few = few
  }

  /** `isAlways`: nobody tells of it. */
  add(key: string, isAlways = false): void {
    this.#keys.add(key)
    if (isAlways) this.#always.add(key)
    this.#due.add(key)
  }

  remove(key: string): void {
    this.#keys.delete(key)
    this.#due.delete(key)
    this.#steady.delete(key)
    this.#always.delete(key)
  }

  ring(key: string): void {
    if (this.#keys.has(key)) this.#due.add(key)
  }

  seen(key: string, { isFull, isSteady }: Seen, nowMs: number): void {
    if (!this.#keys.has(key)) return
    if (isFull) this.#due.add(key)
    if (isSteady) this.#steady.set(key, nowMs + readOnMs)
    else this.#steady.delete(key)
  }

  /** What was told may be lost: the next read names all. */
  forget(): void {
    this.#sweptAtMs = -Infinity
  }

  next(nowMs: number): Iterable<string> {
    const isSweep = nowMs - this.#sweptAtMs >= sweepMs
    if (isSweep) this.#sweptAtMs = nowMs
    if (isSweep || this.#keys.size <= this.#few) {
      this.#due.clear()
      return this.#keys
    }
    for (const [key, untilMs] of this.#steady) {
      if (untilMs > nowMs) this.#due.add(key)
      else this.#steady.delete(key)
    }
    const named = [...new Set([...this.#always, ...this.#due])]
    this.#due.clear()
    return named
  }
}
