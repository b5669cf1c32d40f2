import { flags } from '../wire/frame.ts'
import type { LeadlineError } from '../errors.ts'
import type { ClientMessage, SummaryMessage } from '../wire/protocol.ts'
import { Acknowledger } from './acknowledger.ts'
import { inflate } from './depth-result.ts'
import type { DepthResult, Outcome } from './outcome.ts'
import { OutcomeQueue } from './outcome-queue.ts'
import { ResultWindow } from './result-window.ts'

export interface ReceiptsOptions {
  /** Results that may wait unread before the server holds back. */
  readAhead: number
  say(message: ClientMessage): void
}

/** The last outcome that came from the server. */
export interface Position {
  epoch: number
  seq: number
}

/**
 * What comes from the server, over one socket after the other: outcomes for the application to read, how many more the
 * server may send, and up to where they are here.
 */
export class Receipts {
  readonly #say: (message: ClientMessage) => void
  readonly #queue = new OutcomeQueue()
  readonly #window: ResultWindow
  readonly #sinceMs = performance.now()
  readonly #counts = { result: 0, drop: 0, error: 0 }
  #acknowledger: Acknowledger | null = null
  /** Whether the last outcome was a drop. */
  #isAfterDrop = false
  #isOver = false
  #grantedSince = 0
  /** Of what comes now. */
  epoch = 0
  /** What came before has come here, or to the stream that had the session then. */
  position: Position = { epoch: 0, seq: -1 }

  constructor({ readAhead, say }: ReceiptsOptions) {
    this.#window = new ResultWindow(readAhead)
    this.#say = say
  }

  /** From now on the server hears what is here. */
  acknowledge(): void {
    this.#acknowledger = new Acknowledger((seq) => this.#say({ type: 'ack', seq }))
  }

  /** The server's outcome of a frame is here, perhaps a second time: what was said of the first may not have been heard. */
  received(seq: number): void {
    if (seq > this.position.seq) this.position = { seq, epoch: this.epoch }
    this.#acknowledger?.received(this.position.seq)
  }

  /** Acknowledge at once. */
  hurry(): void {
    this.#acknowledger?.flush()
  }

  /** Nobody is there to hear. */
  lose(): void {
    this.#acknowledger?.stop()
  }

  tell(outcome: Outcome): void {
    if (outcome.type === 'result' && this.#isAfterDrop) outcome.header.flags |= flags.droppedBefore
    this.#isAfterDrop = outcome.type === 'drop'
    this.#counts[outcome.type]++
    this.#queue.push(outcome)
  }

  /** What to grant, in `config`, a server that knows of no grant; at least `count`. */
  credit(count: number): number {
    this.#grantedSince = 0
    return this.#window.renew(count)
  }

  /** The server that was greeted has not heard what was granted since. */
  greeted(): void {
    const results = this.#grantedSince
    this.#grantedSince = 0
    if (results > 0) this.#say({ type: 'credit', results })
  }

  /** `count` results must come, read or not. */
  cover(count: number): void {
    this.#grant(this.#window.cover(count))
  }

  /** Whether the server may send one more. */
  get isGranted(): boolean {
    return this.#window.outstanding > 0
  }

  /** A result is here. */
  arrived(): void {
    this.#window.arrived()
  }

  /** Nobody will read the one that arrived. */
  passedOver(): void {
    this.#grant(this.#window.read())
  }

  async *readOutcomes(): AsyncGenerator<Outcome, void, undefined> {
    for (;;) {
      const outcome = await this.#queue.take()
      if (outcome === null) return
      if (outcome.type === 'result') {
        this.#grant(this.#window.read())
        await inflate(outcome)
      }
      yield outcome
    }
  }

  async *readResults(): AsyncGenerator<DepthResult, void, undefined> {
    for await (const outcome of this.readOutcomes()) if (outcome.type === 'result') yield outcome
  }

  /** What is here can still be read; with an error, reading throws it then. */
  end(error: LeadlineError | null): void {
    this.#isOver = true
    this.lose()
    this.#queue.end(error)
  }

  /** Of every frame that was taken, those too that the server never saw, over every socket. */
  summary(): SummaryMessage {
    const { result: results, drop: drops, error: errors } = this.#counts
    const seconds = Math.round(performance.now() - this.#sinceMs) / 1000
    return { type: 'summary', frames: results + drops + errors, results, drops, errors, seconds }
  }

  #grant(results: number): void {
    if (results === 0 || this.#isOver) return
    this.#grantedSince += results
    this.#say({ type: 'credit', results })
  }
}
