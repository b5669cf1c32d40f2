import { expect } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import type { ValidFrame } from '../../src/wire/frame.ts'
import type { SessionEvent } from '../../src/session.ts'
import type { ResumedSession, ResumeWish, SessionHandle, Sessions } from '../../src/sessions/index.ts'
import { isFrameOutcome } from '../../src/sessions/sessions.ts'
import { EventLog } from './event-log.ts'
import { eventually } from './eventually.ts'
import { expectedChain, hashOptions, resultPayload, testFrame } from './hash-engine.ts'
import { Witness } from './witness.ts'

/** A client as PROTOCOL.md wants it: it knows what it sent, and what it has outcomes for. */
export class ResumingClient {
  handle: SessionHandle
  log: EventLog
  /** Everything that was sent, by seq; null: the gateway ended it. */
  readonly #sent = new Map<number, ValidFrame | null>()
  /** Of the last frames that had depth, for servers that have lost them. */
  keeps = Infinity
  /** What came over the sockets before, as far as the client saw it. */
  #before: SessionEvent[] = []

  static async open(gateway: Sessions, owner: string | null = null): Promise<ResumingClient> {
    const log = new EventLog()
    return new ResumingClient(await gateway.open({ ...hashOptions, resumable: true, owner }, log.push), log)
  }

  constructor(handle: SessionHandle, log: EventLog) {
    this.handle = handle
    this.log = log
  }

  get id(): string {
    return this.handle.id
  }

  get outcomes(): SessionEvent[] {
    return [...this.#before, ...this.log.all].filter(isFrameOutcome)
  }

  get lastSeq(): number {
    const last = this.outcomes.at(-1)
    return last && 'seq' in last ? (last.seq ?? -1) : -1
  }

  get position() {
    return { session: this.id, token: this.handle.resumeToken, epoch: 0, seq: this.lastSeq }
  }

  send(...seqs: number[]): void {
    for (const seq of seqs) {
      const frame = testFrame(seq, Buffer.from(`${this.id}:${seq}`))
      this.#sent.set(seq, frame)
      this.handle.submit(frame)
    }
  }

  settle(seq: number): void {
    this.#sent.set(seq, null)
    this.handle.settle({ type: 'drop', seq, reason: 'superseded' })
  }

  ack(): void {
    if (this.lastSeq >= 0) this.handle.ack(this.lastSeq)
  }

  async received(count: number): Promise<void> {
    await eventually(() => this.outcomes.length >= count).toBe(true)
  }

  /** The events after this outcome were lost with the socket. */
  forgetAfter(seq: number): void {
    const had = [...this.#before, ...this.log.all]
    const isLost = had.some((event) => isFrameOutcome(event) && event.seq > seq)
    const last = had.findLastIndex((event) => isFrameOutcome(event) && event.seq <= seq)
    this.#before = had.slice(0, isLost ? last + 1 : had.length).filter(isToldOfFrames)
    this.log = new EventLog()
  }

  /** This socket, which is about to be replaced. */
  former(): { handle: SessionHandle; log: EventLog } {
    return { handle: this.handle, log: this.log }
  }

  async resume(gateway: Sessions, position: ResumeWish = this.position): Promise<ResumedSession> {
    const log = new EventLog()
    // From here on it listens to the new socket only.
    this.forgetAfter(position.seq)
    this.log = log
    const session = await gateway.resume(position, log.push)
    this.goOn(session, log)
    return session
  }

  /** As a client does: for as long as it is told to try again. What it was told. */
  async resumeInTime(gateway: Sessions): Promise<string[]> {
    const refusals: string[] = []
    for (;;) {
      try {
        await this.resume(gateway)
        return refusals
      } catch (error) {
        if (!(error instanceof LeadlineError) || !error.isTemporary) throw error
        refusals.push(error.code)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }

  /** Sends again what the servers never had, and of the past what they ask for. */
  goOn(session: ResumedSession, log: EventLog): void {
    this.log = log
    this.handle = session
    session.wanted?.give(this.#past(session.wanted.frames))
    const have = new Set(this.outcomes.map((event) => ('seq' in event ? event.seq : null)))
    for (const [seq, frame] of this.#sent) {
      if (seq > session.resumed.after && frame && !have.has(seq)) session.submit(frame)
    }
  }

  /** What it was told of its past, once all that it heard was found true. */
  witness(): string[] {
    const witness = new Witness([...this.#sent.values()].filter((frame) => frame !== null))
    witness.check([...this.#before, ...this.log.all])
    return witness.continuities
  }

  #past(count: number): ValidFrame[] {
    const seqs = this.outcomes.flatMap((event) => (event.type === 'result' ? [event.seq] : []))
    return seqs
      .slice(Math.max(0, seqs.length - Math.min(count, this.keeps)))
      .flatMap((seq) => this.#sent.get(seq) ?? [])
  }

  /** One outcome for each, in order, and the chain is that of all that was sent. */
  async expectAll(): Promise<void> {
    await this.received(this.#sent.size)
    this.handle.flush('all')
    await this.log.until((events) => events.some((event) => event.type === 'flushed' && event.id === 'all'))
    const seqs = this.outcomes.map((event) => ('seq' in event ? event.seq : null))
    expect(seqs).toEqual([...this.#sent.keys()])
    const results = this.outcomes.filter((event) => event.type === 'result')
    const frames = [...this.#sent.values()].filter((frame) => frame !== null)
    expect(results.map((result) => resultPayload(result.message))).toEqual(expectedChain(frames))
  }
}

/** What ends a socket is no matter of the session. */
function isToldOfFrames(event: SessionEvent): boolean {
  return event.type !== 'error' || event.seq !== null
}
