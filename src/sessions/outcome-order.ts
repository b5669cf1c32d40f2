import type { FrameOutcome } from './sessions.ts'

/**
 * The accepted frames of a session that have no outcome yet, or one that waits for the frames before it. Each gets exactly
 * one, in the order of seq, whoever makes it.
 */
export class OutcomeOrder {
  readonly #waiting = new Map<number, FrameOutcome | null>()
  readonly #tell: (outcome: FrameOutcome) => void

  /** `tell` is called with each outcome in its turn. */
  constructor(tell: (outcome: FrameOutcome) => void) {
    this.#tell = tell
  }

  /** Every seq is above those before. */
  accept(seq: number): void {
    this.#waiting.set(seq, null)
  }

  /** False: the frame has an outcome already, or was never accepted. */
  put(outcome: FrameOutcome): boolean {
    if (this.#waiting.get(outcome.seq) !== null) return false
    this.#waiting.set(outcome.seq, outcome)
    this.#release()
    return true
  }

  /** Frames without outcome. */
  get owed(): number[] {
    return [...this.#waiting].flatMap(([seq, outcome]) => (outcome === null ? [seq] : []))
  }

  /** The frames without outcome get the one that `make` gives. */
  finish(make: (seq: number) => FrameOutcome): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [seq, outcome] of waiting) this.#tell(outcome ?? make(seq))
  }

  /** Nobody is told of them any more. */
  clear(): void {
    this.#waiting.clear()
  }

  #release(): void {
    for (const [seq, outcome] of this.#waiting) {
      if (outcome === null) return
      this.#waiting.delete(seq)
      this.#tell(outcome)
    }
  }
}
