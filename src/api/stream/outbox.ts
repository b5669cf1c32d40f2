import { flags, hasFlag, setFlag } from '../../wire/frame.ts'
import type { CheckpointEvent, Delivery, SessionEvent } from '../../session.ts'
import type { FrameOutcome } from '../../sessions/index.ts'
import { isFrameOutcome } from '../../sessions/index.ts'
import type { CheckpointAnswer } from './checkpoint-answer.ts'

/** Something to tell the client, `error` always being about one frame. */
export type Outgoing =
  Exclude<SessionEvent, { type: 'error' } | CheckpointEvent> | FrameOutcome | CheckpointAnswer

export interface OutboxOptions {
  delivery: Delivery
  /** Depth maps that may be sent. @default no limit */
  credit?: number | undefined
  /** Accepted over a socket before this one, in order. */
  accepted?: readonly number[]
}

/**
 * What one client is still to be told, in the order in which the session told it, which is that of seq. Frames enter when
 * they are accepted and leave when their outcome is taken to be sent; a depth map is taken only against credit. No socket,
 * no clock.
 */
export class Outbox {
  readonly #delivery: Delivery
  /** Accepted frames without outcome, in order. */
  readonly #owed: Set<number>
  readonly #ready: Outgoing[] = []
  /** How many of `#ready` are outcomes. */
  #outcomes = 0
  #bytes = 0
  #credit: number

  constructor({ delivery, credit = Number.POSITIVE_INFINITY, accepted = [] }: OutboxOptions) {
    this.#delivery = delivery
    this.#credit = credit
    this.#owed = new Set(accepted)
  }

  /** Frames whose outcome was not taken yet. */
  get unsettled(): number {
    return this.#owed.size + this.#outcomes
  }

  /** Messages that wait, for credit or for the socket. */
  get queued(): number {
    return this.#ready.length
  }

  /** Of the depth maps that wait. */
  get queuedBytes(): number {
    return this.#bytes
  }

  /** Whether the session owes an outcome. */
  get owed(): boolean {
    return this.#owed.size > 0
  }

  grant(results: number): void {
    this.#credit += results
  }

  accept(seq: number): void {
    this.#owed.add(seq)
  }

  push(event: Outgoing): void {
    if (isOutcome(event)) {
      if (!this.#owed.delete(event.seq)) return
      if (event.type === 'result' && this.#delivery !== 'lossless') this.#supersede(event.message)
      this.#outcomes++
    }
    this.#bytes += bytesOf(event)
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
    if (next !== undefined) this.#bytes -= bytesOf(next)
    return this.#ready.shift()
  }

  /** Give up: every frame without outcome, in order. */
  abandon(): number[] {
    const seqs = [...this.#ready.filter(isOutcome).map(({ seq }) => seq), ...this.#owed]
    this.#ready.length = 0
    this.#bytes = 0
    this.#outcomes = 0
    this.#owed.clear()
    return seqs
  }

  /** But for `lossless`: a depth map that is still here when the next one comes is never sent. */
  #supersede(by: Uint8Array): void {
    for (const [i, waiting] of this.#ready.entries()) {
      if (waiting.type !== 'result') continue
      this.#bytes -= bytesOf(waiting)
      this.#ready[i] = { type: 'drop', seq: waiting.seq, reason: 'superseded', ...seenBy(waiting.message) }
      setFlag(by, flags.droppedBefore)
    }
  }
}

export function isOutcome(event: Outgoing): event is FrameOutcome {
  return event.type !== 'context' && event.type !== 'checkpoint' && isFrameOutcome(event)
}

function bytesOf(event: Outgoing): number {
  return event.type === 'result' ? event.message.byteLength : 0
}

/** The latent cache remembers no blank frame. */
function seenBy(message: Uint8Array): { seen?: true } {
  return hasFlag(message, flags.blank) ? {} : { seen: true }
}
