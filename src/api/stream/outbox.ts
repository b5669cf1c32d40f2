import { flags, setFlag } from '../../frame.ts'
import type { Delivery, SessionEvent } from '../../session.ts'

/** Something to tell the client, `error` always being about one frame. */
export type Outgoing =
  Exclude<SessionEvent, { type: 'error' }> | (Extract<SessionEvent, { type: 'error' }> & { seq: number })
/** The end of one frame. */
export type Outcome = Extract<Outgoing, { type: 'result' | 'drop' | 'error' }>

/**
 * What one client is still to be told, in seq order. Frames enter when they are accepted and leave when their outcome
 * is taken to be sent; a depth map is taken only against credit. No socket, no clock.
 */
export class Outbox {
  readonly #delivery: Delivery
  /** Accepted frames without outcome, in order; the value is an outcome that waits for the frames before it. */
  readonly #waiting = new Map<number, Outcome | null>()
  readonly #ready: Outgoing[] = []
  /** How many of `#ready` are outcomes. */
  #outcomes = 0
  #credit: number

  constructor(delivery: Delivery, credit = Number.POSITIVE_INFINITY) {
    this.#delivery = delivery
    this.#credit = credit
  }

  /** Frames whose outcome was not taken yet. */
  get unsettled(): number {
    return this.#waiting.size + this.#outcomes
  }

  /** Messages that wait, for credit or for the socket. */
  get queued(): number {
    return this.#ready.length
  }

  /** Whether the session owes an outcome. */
  get owed(): boolean {
    return this.#waiting.size > 0
  }

  grant(results: number): void {
    this.#credit += results
  }

  /** Frame `seq` was handed to the session. */
  accept(seq: number): void {
    this.#waiting.set(seq, null)
  }

  /** The gateway itself ends a frame; the client hears of it after the outcomes of the frames before. */
  settle(outcome: Outcome): void {
    this.#waiting.set(outcome.seq, outcome)
    this.#release()
  }

  /** An event of the session, whose own order is right. */
  push(event: Outgoing): void {
    if (isOutcome(event)) {
      if (this.#waiting.get(event.seq) !== null) return
      this.#waiting.set(event.seq, event)
      return this.#release()
    }
    this.#ready.push(event)
  }

  /** The next message that may be sent now. */
  take(): Outgoing | undefined {
    const next = this.#ready[0]
    if (next?.type === 'result') {
      if (this.#credit < 1) return undefined
      this.#credit--
    }
    if (next !== undefined && isOutcome(next)) this.#outcomes--
    return this.#ready.shift()
  }

  /** Give up: every frame without outcome, in order. */
  abandon(): number[] {
    const seqs = [...this.#ready.filter(isOutcome).map(({ seq }) => seq), ...this.#waiting.keys()]
    this.#ready.length = 0
    this.#outcomes = 0
    this.#waiting.clear()
    return seqs
  }

  #release(): void {
    for (const [seq, outcome] of this.#waiting) {
      if (outcome === null) return
      this.#waiting.delete(seq)
      if (outcome.type === 'result' && this.#delivery === 'latest') this.#supersede(outcome.message)
      this.#ready.push(outcome)
      this.#outcomes++
    }
  }

  /** `latest`: a depth map that is still here when the next one comes is never sent. */
  #supersede(by: Uint8Array): void {
    for (const [i, waiting] of this.#ready.entries()) {
      if (waiting.type !== 'result') continue
      this.#ready[i] = { type: 'drop', seq: waiting.seq, reason: 'superseded' }
      setFlag(by, flags.droppedBefore)
    }
  }
}

/** Whether the event is for the client; the other kind, an error without seq, ends the session. */
export function isOutgoing(event: SessionEvent): event is Outgoing {
  return event.type !== 'error' || event.seq !== null
}

export function isOutcome(event: Outgoing): event is Outcome {
  return event.type === 'result' || event.type === 'drop' || event.type === 'error'
}
