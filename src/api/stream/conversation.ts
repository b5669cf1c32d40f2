import type { FrameFlow } from '../../access/index.ts'
import { LeadlineError } from '../../errors.ts'
import { outputOptions } from '../../wire/output.ts'
import type { ClientMessage, SummaryMessage } from '../../wire/protocol.ts'
import type { DepthlessOutcome, Resumed, SessionHandle, WantedPast } from '../../sessions/index.ts'
import type { CheckpointEvent } from '../../session.ts'
import { checkpointAnswer, endsCheckpoint } from './checkpoint-answer.ts'
import { FrameGate, refused } from './frame-gate.ts'
import type { Verdict } from './frame-gate.ts'
import { megapixelsOf } from './frame-pixels.ts'
import { FrameRelay } from './frame-relay.ts'
import type { Pacing } from './pacing.ts'
import type { FrameTimes } from './frame-times.ts'
import { History } from './history.ts'
import type { Outgoing } from './outbox.ts'
import { isOutcome, Outbox } from './outbox.ts'
import { Tally } from './tally.ts'

/** `flush`, `update` and `reset` without an answer, at most: answers wait behind depth maps, and must not pile up. */
const maxUnanswered = 256

/** What keeps its place among the frames, and is answered. */
type PlacedMessage = Extract<ClientMessage, { type: 'flush' | 'reset' | 'update' | 'checkpoint' }>

export function isPlaced(message: ClientMessage): message is PlacedMessage {
  return ['flush', 'reset', 'update', 'checkpoint'].includes(message.type)
}

export interface ConversationLimits {
  maxPixels: number
  /** Of a binary message. */
  maxFrameBytes: number
  /** Of a checkpoint. */
  maxContextBytes: number
}

type Drop = Extract<DepthlessOutcome, { type: 'drop' }>

export interface ConversationOptions {
  session: SessionHandle
  credit: number | undefined
  limits: ConversationLimits
  /** Seq of the last outcome that the client has; -1: none. */
  received: number
  /** Of a session that was there before: what it has of the client's frames, and made of them. */
  resumed: Pick<Resumed, 'seq' | 'after' | 'unsettled'> | null
  /** What the client was asked for, which comes before anything else. */
  wanted: WantedPast | null
  /** The limits of the client's key; null: it has none. */
  flow: FrameFlow | null
  /** Null: the client is not told how fast to send. */
  pacing: Pacing | null
  times: FrameTimes
}

/**
 * What a client and its session have to say to each other: frames in, through the gate and the relay, and outcomes out,
 * through the outbox. Knows no socket and no clock. Whatever must outlive this gateway is kept by the session's worker.
 */
export class Conversation {
  readonly session: SessionHandle
  readonly #limits: ConversationLimits
  readonly #gate: FrameGate
  readonly #relay: FrameRelay
  readonly #outbox: Outbox
  readonly #tally = new Tally()
  readonly #flow: FrameFlow | null
  readonly #times: FrameTimes
  readonly #pacing: Pacing | null
  #history: History | null
  /** Without an answer: ids of flushes and updates, and how many resets. */
  readonly #flushes: string[] = []
  readonly #updates: string[] = []
  #resets = 0
  #checkpoint: string | null = null
  /** Outcomes that are told here, and that another socket may have brought since the client said what it has. */
  readonly #toldBefore: Set<number>
  /** The last outcome that was taken to be sent, and the last that the client has. */
  #told: number
  #acked: number

  constructor(options: ConversationOptions) {
    const { session, credit, limits, received, resumed, wanted, flow, times, pacing } = options
    const { delivery } = session.options
    const { maxInFlight } = session.opened
    const { seq: madeSeq, after, unsettled } = resumed ?? { seq: -1, after: -1, unsettled: [] }
    this.session = session
    this.#limits = limits
    this.#flow = flow
    this.#times = times
    this.#pacing = pacing
    this.#gate = new FrameGate({ delivery, maxInFlight, limits, after })
    this.#relay = new FrameRelay(session, unsettled)
    this.#outbox = new Outbox({ delivery, credit, accepted: unsettled })
    this.#history = wanted === null ? null : new History(wanted, limits)
    this.#toldBefore = new Set(unsettled.filter((seq) => seq <= madeSeq))
    this.#told = this.#acked = received
  }

  /** Frames that the client knows to have no outcome, and perhaps more. */
  get #inFlight(): number {
    return this.#outbox.unsettled - this.#toldBefore.size
  }

  /** Whether the session owes an outcome. */
  get owed(): boolean {
    return this.#outbox.owed
  }

  /** Messages that wait to be taken. */
  get queued(): number {
    return this.#outbox.queued
  }

  /** Of the depth maps among them. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes
  }

  /** Whether the client has all that it can get for what it sent. Of a session that it might resume it has to say so. */
  get isDone(): boolean {
    const numUnanswered = this.#flushes.length + this.#updates.length + this.#resets
    const isAnswered = numUnanswered === 0 && this.#checkpoint === null
    const isHeard = this.session.graceMs === 0 || this.#acked >= this.#told
    return isAnswered && isHeard && this.#outbox.unsettled === 0 && this.#outbox.queued === 0
  }

  /** Throws what ends the stream. */
  onFrame(message: Uint8Array): void {
    if (this.#history?.take(message) === true) return
    this.onReplayed()
    const verdict = this.#within(this.#gate.judge(message, this.#inFlight))
    this.#pacing?.accepted()
    if (verdict.kind === 'frame') {
      this.#times.came(verdict.frame)
      this.#outbox.accept(verdict.frame.header.seq)
      this.#relay.submit(verdict.frame)
    } else {
      this.#outbox.accept(verdict.outcome.seq)
      this.#relay.settle(verdict.outcome)
    }
  }

  /** Throws FLOW_CONTROL. */
  onCommand(command: PlacedMessage): void {
    this.onReplayed()
    this.#relay.flush()
    if (command.type === 'checkpoint') return this.#save(command.id ?? '')
    if (this.#flushes.length + this.#updates.length + this.#resets === maxUnanswered) {
      const detail = `${maxUnanswered} "flush", "update" and "reset" have no answer yet; wait for some`
      throw new LeadlineError('FLOW_CONTROL', detail)
    }
    if (command.type === 'reset') {
      this.#resets++
      return this.session.reset()
    }
    const { id = '' } = command
    if (command.type === 'update') {
      this.#updates.push(id)
      return this.session.update({ id, output: outputOptions(command.output) })
    }
    this.#flushes.push(id)
    this.session.flush(id)
  }

  onCredit(results: number): void {
    this.#outbox.grant(results)
  }

  /** What was not sent yet the client cannot have. */
  onAck(seq: number): void {
    const acked = Math.min(seq, this.#told)
    if (acked <= this.#acked) return
    this.#acked = acked
    this.session.ack(acked)
  }

  /** The client has sent what it had of the past, or goes on without. */
  onReplayed(): void {
    this.#history?.give()
    this.#history = null
  }

  /** No more frames come: the one that waits goes on. */
  finish(): void {
    this.onReplayed()
    this.#relay.flush()
  }

  /** The client goes away and will be back: it does not send again what it sent before it said so. */
  leave(): void {
    this.#relay.flush()
  }

  onEvent(event: Outgoing | CheckpointEvent): void {
    if ('saved' in event || event.type === 'checkpointFailed') return this.#onSaved(event)
    this.#outbox.push(event)
    if (!isOutcome(event)) return
    if (event.type === 'result') this.#times.made(event.seq)
    this.#flow?.settled(event.seq)
    this.#pacing?.settled(event.type === 'result')
    this.#relay.settled(event.seq)
  }

  /** The next message that may be sent now. */
  take(): Outgoing | undefined {
    const next = this.#outbox.take()
    if (next === undefined) return undefined
    if (next.type === 'reset' && next.reason === 'client' && this.#resets > 0) this.#resets--
    if (next.type === 'flushed') answered(this.#flushes, next.id)
    if (next.type === 'updated') answered(this.#updates, next.id)
    if (endsCheckpoint(next)) this.#checkpoint = null
    if (isOutcome(next)) {
      this.#told = next.seq
      this.#toldBefore.delete(next.seq)
      this.#tally.add(next)
    }
    return next
  }

  /** Give up: what the client is to be told of every frame without outcome, in order. */
  abandon(): Drop[] {
    const drops = this.#outbox.abandon().map((seq): Drop => ({ type: 'drop', seq, reason: 'closed' }))
    for (const drop of drops) this.#times.told(drop)
    return drops
  }

  stop(): void {
    this.#relay.stop()
  }

  summary(): SummaryMessage {
    return this.#tally.summary()
  }

  /** What is beyond the limits of the key fails by itself. */
  #within(verdict: Verdict): Verdict {
    if (verdict.kind !== 'frame' || this.#flow === null) return verdict
    const { frame } = verdict
    const { seq } = frame.header
    const metered = { bytes: frame.payload.byteLength, megapixels: () => megapixelsOf(frame) }
    const refusal = this.#flow.enter(seq, metered)
    return refusal === null ? verdict : refused(seq, refusal)
  }

  /** Each may have many megabytes. */
  #save(id: string): void {
    if (this.#checkpoint !== null)
      throw new LeadlineError('FLOW_CONTROL', 'A "checkpoint" has no answer yet; wait for it')
    this.#checkpoint = id
    this.session.checkpoint({ id, seq: this.#gate.lastSeq, maxBytes: this.#limits.maxContextBytes })
  }

  /** One that was asked for over another socket is for nobody. */
  #onSaved(event: CheckpointEvent): void {
    if (event.id !== this.#checkpoint) return
    for (const part of checkpointAnswer(event, this.#limits.maxFrameBytes)) this.#outbox.push(part)
  }
}

/** An answer may come twice where the session was taken over in between. */
function answered(waiting: string[], id: string): void {
  const at = waiting.indexOf(id)
  if (at >= 0) waiting.splice(at, 1)
}
