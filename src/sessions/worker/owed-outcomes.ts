import type { SessionEvent } from '../../session.ts'
import type { Aside, OpenPast } from '../link.ts'
import { isFrameOutcome } from '../sessions.ts'
import type { FrameOutcome, Resumed } from '../sessions.ts'
import { KeptOutcomes } from './kept-outcomes.ts'
import type { KeepLimits, KeptBytes } from './kept-outcomes.ts'

interface Waiting {
  outcome: FrameOutcome | null
  /** By the gateway that made it. */
  isTold: boolean
}

export interface TakenOver extends Pick<Resumed, 'after' | 'unsettled'> {
  /** What the client has not received. */
  events: SessionEvent[]
}

/**
 * What a session's client was promised: one outcome for each accepted frame, in the order of seq, whichever gateways it
 * hears them through. Frames are accepted here, and their outcomes are kept until the client has them. No clock, no link.
 */
export class OwedOutcomes {
  readonly #emit: (event: SessionEvent) => void
  readonly #kept: KeptOutcomes
  /** Accepted, and their outcome was not told: there is none, or it waits for those before. */
  readonly #waiting = new Map<number, Waiting>()
  #lastAccepted = -1
  #lastTold = -1
  /** Everything up to this frame came through a gateway that had the session before. */
  #formerSeq = -Infinity

  /** `emit` is given each event in its turn. */
  constructor(emit: (event: SessionEvent) => void, shared: KeptBytes, limits?: KeepLimits) {
    this.#emit = emit
    this.#kept = new KeptOutcomes(shared, limits)
  }

  /** It had another worker before. */
  restore({ told, after }: Pick<OpenPast, 'told' | 'after'>): void {
    this.#lastAccepted = this.#lastTold = after
    this.#kept.restore(told, after)
  }

  /** What the next worker has to keep. Frames without outcome are sent there again. */
  get handedOn(): Pick<OpenPast, 'told' | 'after'> {
    return { told: this.#kept.events, after: this.#lastTold }
  }

  /** Whether all that has no outcome came through the gateway that holds the session now. */
  get isOfHolder(): boolean {
    return this.#lastTold > this.#formerSeq
  }

  /** What was told after this outcome. */
  after(seq: number): SessionEvent[] {
    return this.#kept.after(seq)
  }

  /** False: it was accepted before, so that it must not run again. */
  accept(seq: number): boolean {
    if (seq <= this.#lastAccepted) return false
    this.#lastAccepted = seq
    this.#waiting.set(seq, { outcome: null, isTold: false })
    return true
  }

  aside({ acked, settled }: Aside): void {
    if (acked !== null) this.#kept.ack(acked)
    for (const outcome of settled) {
      if (!this.accept(outcome.seq)) continue
      this.#waiting.set(outcome.seq, { outcome, isTold: true })
      this.#release()
    }
  }

  /** What the engine says, in its order. */
  push(event: SessionEvent): void {
    if (!isFrameOutcome(event)) return this.#tell(event)
    const waiting = this.#waiting.get(event.seq)
    if (waiting?.outcome !== null) return
    waiting.outcome = event
    this.#release()
  }

  /** The client goes on through another gateway, from behind this outcome. Null: some of what it missed is not kept. */
  takeOver(afterSeq: number): TakenOver | null {
    if (afterSeq < this.#kept.forgottenSeq) return null
    this.#kept.ack(afterSeq)
    // An outcome that its gateway made and never told of.
    this.#lastAccepted = Math.max(this.#lastAccepted, afterSeq)
    this.#formerSeq = this.#lastAccepted
    for (const waiting of this.#waiting.values()) waiting.isTold = false
    const { events } = this.#kept
    const unsettled = [...events.filter(isFrameOutcome).map(({ seq }) => seq), ...this.#waiting.keys()]
    return { after: this.#lastAccepted, unsettled, events }
  }

  /** The session is over: nothing is kept. */
  end(): void {
    this.#kept.clear()
    this.#waiting.clear()
  }

  #release(): void {
    for (const [seq, { outcome, isTold }] of this.#waiting) {
      if (outcome === null) return
      this.#waiting.delete(seq)
      this.#lastTold = seq
      if (isTold) this.#kept.keep(outcome)
      else this.#tell(outcome)
    }
  }

  #tell(event: SessionEvent): void {
    this.#kept.keep(event)
    this.#emit(event)
  }
}
