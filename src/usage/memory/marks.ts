import type { UsageMark } from '../../metering/measures.ts'

/** A mark that is kept, and until when, in milliseconds since 1970. */
export type KeptMark = Pick<UsageMark, 'name' | 'number'> & { untilMs: number }

/** How often those that are kept no longer are looked for, in marks that were set. */
const setsPerSweep = 1000

/** How far everything was counted that has a name. No clock. */
export class Marks {
  readonly #marks = new Map<string, KeptMark>()
  #sets = 0

  /** False: it was counted already. */
  set({ name, number, keptMs }: UsageMark, nowMs: number): boolean {
    const before = this.#marks.get(name)
    if (before !== undefined && before.untilMs > nowMs && before.number >= number) return false
    this.keep({ name, number, untilMs: nowMs + keptMs })
    this.#sets += 1
    if (this.#sets % setsPerSweep === 0) this.forgetOld(nowMs)
    return true
  }

  keep(mark: KeptMark): void {
    this.#marks.set(mark.name, mark)
  }

  get list(): KeptMark[] {
    return [...this.#marks.values()]
  }

  forgetOld(nowMs: number): void {
    for (const [name, { untilMs }] of this.#marks) if (untilMs <= nowMs) this.#marks.delete(name)
  }
}
