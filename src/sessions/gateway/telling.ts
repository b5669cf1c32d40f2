import type { LeadlineError } from '../../errors.ts'
import type { SessionEvent } from '../../session.ts'
import { OutcomeOrder } from '../outcome-order.ts'
import type { FrameOutcome } from '../sessions.ts'

interface TellingOptions {
  /** The client. */
  onEvent: (event: SessionEvent) => void
  /** Called before it with all that it is told, also where that is held back. */
  onTold: (event: SessionEvent) => void
}

/** What a session's client is told: outcomes in the order of seq, and nothing before it has the session. */
export class Telling {
  readonly #options: TellingOptions
  readonly #outcomes = new OutcomeOrder((outcome) => this.tell(outcome))
  #held: SessionEvent[] | null = null

  constructor(options: TellingOptions) {
    this.#options = options
  }

  /** Whoever waits for the session, however many promises away, has it before it hears of it. */
  hold(): void {
    this.#held = []
    setImmediate(() => this.#unhold())
  }

  /** A frame that gets an outcome. Every seq is above those before. */
  accept(seq: number): void {
    this.#outcomes.accept(seq)
  }

  /** Its outcome, told in its turn. False: it has one already, or was never accepted. */
  put(outcome: FrameOutcome): boolean {
    return this.#outcomes.put(outcome)
  }

  tell(event: SessionEvent): void {
    this.#options.onTold(event)
    if (this.#held) this.#held.push(event)
    else this.#options.onEvent(event)
  }

  /** Frames without outcome. */
  get owed(): number[] {
    return this.#outcomes.owed
  }

  /** Those get an error, but for those that can have more. */
  failAllBut(canHaveMore: (seq: number) => boolean, { code, message }: LeadlineError): void {
    for (const seq of this.owed)
      if (!canHaveMore(seq)) this.put({ type: 'error', seq, code, detail: message })
  }

  /** Those get the one that `make` gives. */
  finish(make: (seq: number) => FrameOutcome): void {
    this.#outcomes.finish(make)
  }

  /** They get theirs elsewhere. */
  leave(): void {
    this.#outcomes.clear()
  }

  /** Nobody hears what is held back. */
  hush(): void {
    this.#held = null
  }

  #unhold(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const event of held) this.#options.onEvent(event)
  }
}
