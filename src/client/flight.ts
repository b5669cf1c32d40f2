import type { LeadlineError } from '../errors.ts'
import type { Outcome } from './outcome.ts'

type Waiter = { resolve: () => void; reject: (error: LeadlineError) => void }

/** A frame as it goes over the wire. */
export interface EncodedFrame {
  seq: number
  message: Uint8Array<ArrayBuffer>
}

interface Travelling extends EncodedFrame {
  sinceMs: number
  /** Of a frame that waits for the outcomes of those before it. */
  outcome: Outcome | null
}

/**
 * Frames on their way: taken from the application, outcome not yet told. They are kept whole, to be sent again over
 * another socket. Says when one more may be taken.
 */
export class Flight {
  readonly #maxBytes: number
  /** In seq order. */
  readonly #frames = new Map<number, Travelling>()
  readonly #waiters: Waiter[] = []
  /** Frames without outcome, and their bytes. */
  #unsettled = 0
  #bytes = 0
  /** Places that were given to waiters who have not sent yet. */
  #reserved = 0
  #maxInFlight = 0
  #ended: LeadlineError | null = null
  /** Of the frames that another stream sent the last, the last with an outcome, and the last whose outcome was heard. */
  #sent = -1
  #settled = -1
  #heard = -1
  #inheritedMs = 0

  /** Nobody may send while frames without outcome have more bytes than these. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** From now on this many frames may be on their way. */
  allow(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight
    this.#admit()
  }

  get unsettled(): number {
    return this.#unsettled
  }

  /**
   * Frames up to `sent` were sent by the stream that had the session before, of which the server has outcomes up to `settled`.
   * Those above `heard` come here, as far as that stream had not acknowledged them.
   */
  inherit(sent: number, settled: number, heard: number, nowMs: number): void {
    this.#sent = sent
    this.#settled = settled
    this.#heard = heard
    this.#inheritedMs = nowMs
  }

  /** At most so many outcomes are to come. */
  get owed(): number {
    return this.#unsettled + this.#sent - this.#heard
  }

  /** Whether somebody waits for room. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0
  }

  /** Of frames without outcome. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves, in the order of calling, when a frame may be sent; `depart` must follow at once. */
  async room(): Promise<void> {
    if (this.#ended !== null) throw this.#ended
    const admitted = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    this.#admit()
    return admitted
  }

  depart({ seq, message }: EncodedFrame, nowMs: number): void {
    this.#reserved--
    this.#unsettled++
    this.#bytes += message.byteLength
    this.#frames.set(seq, { seq, message, sinceMs: nowMs, outcome: null })
  }

  /** The frame as it was sent, while it has no outcome. */
  frame(seq: number): EncodedFrame | null {
    const frame = this.#frames.get(seq)
    return frame === undefined || frame.outcome !== null ? null : frame
  }

  /** Frames without outcome above `after`, in order. */
  above(after: number): EncodedFrame[] {
    return [...this.#frames.values()].filter(({ seq, outcome }) => seq > after && outcome === null)
  }

  /**
   * The frame's outcome is known, after how long is told. Gives what may be told now, in seq order; null for a frame that
   * is not on its way.
   */
  settle(seq: number, nowMs: number, outcome: (latencyMs: number) => Outcome): Outcome[] | null {
    if (seq > this.#heard && seq <= this.#sent) {
      // Before all that was sent here, and in order.
      this.#heard = seq
      this.#admit()
      return [outcome(nowMs - this.#inheritedMs)]
    }
    const frame = this.#frames.get(seq)
    if (frame === undefined || frame.outcome !== null) return null
    frame.outcome = outcome(nowMs - frame.sinceMs)
    this.#unsettled--
    this.#bytes -= frame.message.byteLength
    this.#admit()
    return this.#release()
  }

  /** Another stream has the outcomes of what is on its way. */
  forget(): void {
    for (const [seq, { outcome }] of this.#frames) if (outcome === null) this.#frames.delete(seq)
  }

  /** The stream is over: whatever is on its way fails with `error`, and nobody may send any more. */
  end(error: LeadlineError, nowMs: number): Outcome[] {
    this.#ended ??= error
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
    for (const [seq, frame] of this.#frames)
      frame.outcome ??= { type: 'error', seq, latencyMs: nowMs - frame.sinceMs, error }
    this.#unsettled = 0
    this.#bytes = 0
    return this.#release()
  }

  #release(): Outcome[] {
    const told: Outcome[] = []
    for (const [seq, { outcome }] of this.#frames) {
      if (outcome === null) break
      this.#frames.delete(seq)
      told.push(outcome)
    }
    return told
  }

  #admit(): void {
    while (this.#waiters.length > 0 && this.#hasRoom) {
      this.#reserved++
      this.#waiters.shift()?.resolve()
    }
  }

  get #hasRoom(): boolean {
    const inFlight = this.#unsettled + this.#sent - Math.max(this.#settled, this.#heard)
    return this.#bytes <= this.#maxBytes && inFlight + this.#reserved < this.#maxInFlight
  }
}
