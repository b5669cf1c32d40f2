import type { LeadlineError } from '../../errors.ts'
import type { SessionEvent, StreamPosition } from '../../session.ts'
import { shortDigest } from '../../wire/state-digest.ts'

/** A place in a session's order of outcomes, taken when a frame is accepted or a flush or reset asked for. */
export interface Pending {
  /** The frame's number; null for what is not a frame. */
  readonly seq: number | null
}

/** What comes of a place; where the stream then stands is filled in when it is told. */
export type Outcome = Exclude<SessionEvent, { type: 'flushed' }> | { type: 'flushed'; id: string }

/** What the latent cache has seen, all bytes of the digest. */
export type CacheMark = Pick<StreamPosition, 'epoch' | 'digest'>

interface Entry extends Pending {
  events: readonly Outcome[] | null
  mark: CacheMark | null
}

/**
 * Puts what a session's frames come to back into the order in which they were accepted: whatever is settled early waits
 * for those before it. Every place is settled once; later attempts change nothing.
 */
export class OrderedOutcomes {
  readonly #emit: (event: SessionEvent) => void
  readonly #entries: Entry[] = []
  /** Of the last outcome that was told. */
  #seq: number
  #mark: CacheMark
  #emitting = false

  constructor(emit: (event: SessionEvent) => void, start: CacheMark & { seq: number }) {
    this.#emit = emit
    this.#mark = start
    this.#seq = start.seq
  }

  /** Where the stream stands. */
  get position(): StreamPosition {
    const { epoch, digest } = this.#mark
    return { epoch, seq: this.#seq, digest: shortDigest(digest) }
  }

  /** The last place, or the one before `next`. */
  take(seq: number | null, next: Pending | null = null): Pending {
    const entry: Entry = { seq, events: null, mark: null }
    const at = next === null ? -1 : this.#entries.indexOf(next as Entry)
    this.#entries.splice(at === -1 ? this.#entries.length : at, 0, entry)
    return entry
  }

  /** Whether everything before the place has been told. */
  isNext(pending: Pending): boolean {
    return this.#entries[0] === pending
  }

  /** What the latent cache has seen with this place and those before it; the last word holds until it is told. */
  mark(pending: Pending, mark: CacheMark): void {
    const entry = pending as Entry
    entry.mark = mark
  }

  settle(pending: Pending, ...events: Outcome[]): void {
    const entry = pending as Entry
    entry.events ??= events
    this.#emitSettled()
  }

  /** Settle every frame that has no outcome yet, and emit all there is. */
  settleRest(outcome: (seq: number) => SessionEvent): void {
    for (const entry of this.#entries) entry.events ??= entry.seq === null ? [] : [outcome(entry.seq)]
    this.#emitSettled()
  }

  /** Every frame without an outcome fails, then the session itself. */
  fail({ code, message: detail }: LeadlineError): void {
    this.settleRest((seq) => ({ type: 'error', seq, code, detail }))
    this.settle(this.take(null), { type: 'error', seq: null, code, detail })
  }

  /** Every frame without an outcome is dropped with reason "closed". */
  end(): void {
    this.settleRest((seq) => ({ type: 'drop', seq, reason: 'closed' }))
  }

  /** A listener may call back into the session: its events then follow those already on their way. */
  #emitSettled(): void {
    if (this.#emitting) return
    this.#emitting = true
    try {
      for (let first = this.#entries[0]; first?.events; first = this.#entries[0]) {
        this.#entries.shift()
        this.#seq = first.seq ?? this.#seq
        this.#mark = first.mark ?? this.#mark
        for (const event of first.events) this.#emit(event.type === 'flushed' ? this.#placed(event) : event)
      }
    } finally {
      this.#emitting = false
    }
  }

  #placed(flushed: { type: 'flushed'; id: string }): SessionEvent {
    return { ...flushed, ...this.position }
  }
}
