import type { FastifyBaseLogger } from 'fastify'
import type { ErrorCode } from '../../errors.ts'
import { LeadlineError, asLeadlineError } from '../../errors.ts'
import type { ClientMessage, ConfigMessage, ServerMessage } from '../../protocol.ts'
import type { SessionEvent, SessionOptions } from '../../session.ts'
import { sessionOptions } from '../../session.ts'
import type { SessionHandle, Sessions } from '../../sessions/index.ts'
import { Deadline } from '../deadline.ts'
import type { Failures, PublicFailure } from '../failures.ts'
import type { Held } from './early-messages.ts'
import { EarlyMessages } from './early-messages.ts'
import { FrameGate } from './frame-gate.ts'
import { FrameRelay } from './frame-relay.ts'
import type { StreamLimits } from './messages.ts'
import { errorMessage, readMessage, readyMessage, writeOutgoing } from './messages.ts'
import type { Outgoing } from './outbox.ts'
import { Outbox, isOutcome, isOutgoing } from './outbox.ts'
import type { StreamSocket } from './socket.ts'
import { Tally } from './tally.ts'

/** Above this many unsent bytes the socket counts as having no credit. */
const maxBufferedBytes = 2 ** 20
/** `flush` and `reset` without an answer, at most: answers wait behind depth maps, and must not pile up. */
const maxUnanswered = 256
/** A socket that takes no message for this long while others wait is given up. */
const slowConsumerMs = 30_000

export interface ConnectionOptions {
  socket: StreamSocket
  sessions: Sessions
  limits: StreamLimits & { configTimeoutMs: number }
  defaultModel: string
  failures: Failures
  log: FastifyBaseLogger
}

/** What exists from `ready` on. */
interface Live {
  session: SessionHandle
  gate: FrameGate
  relay: FrameRelay
  outbox: Outbox
  tally: Tally
}

type State = 'greeting' | 'opening' | 'open' | 'finishing' | 'ended'

/**
 * One socket's conversation: config, ready, then frames in and outcomes out until either side ends it. Knows no
 * transport: its owner calls `receive` for each message and `closed` when the socket is gone.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #early: EarlyMessages
  /** For the config at first, then for the next message of any kind. */
  readonly #silence = new Deadline()
  readonly #stuck = new Deadline()
  #state: State = 'greeting'
  #opening: Promise<SessionHandle> | null = null
  #live: Live | null = null
  /** Flushes and resets that the client has no answer to yet. */
  #unanswered = 0
  #released: Promise<void> | null = null
  /** Failures that the log has of this stream. */
  readonly #logged = new Set<ErrorCode>()

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#early = new EarlyMessages(options.limits.maxFrameBytes)
    const { configTimeoutMs } = options.limits
    const late = new LeadlineError('CONFIG_TIMEOUT', `No "config" within ${configTimeoutMs} ms of connecting`)
    this.#silence.set(configTimeoutMs, () => void this.fail(late))
  }

  get hasConfig(): boolean {
    return this.#opening !== null
  }

  receive(data: Uint8Array, kind: Held['kind']): void {
    if (this.#state === 'ended') return
    try {
      if (this.#state === 'opening') return this.#early.hold({ data, kind })
      if (this.#live !== null) this.#silence.putOff()
      if (kind === 'binary') this.#onFrame(this.#expectLive('a frame'), data)
      else this.#onMessage(readMessage(data))
    } catch (error) {
      void this.fail(error)
    }
  }

  /** The socket is gone, whoever closed it. Resolves when the session was given back, if there was one. */
  closed(): Promise<void> {
    this.#state = 'ended'
    return this.#release()
  }

  /** Tell the client what is wrong, then close. Resolves when the session was given back, if there was one. */
  fail(error: unknown): Promise<void> {
    if (this.#state === 'ended') return this.#release()
    this.#state = 'ended'
    const failure = asLeadlineError(error)
    for (const seq of this.#live?.outbox.abandon() ?? []) this.#say({ type: 'drop', seq, reason: 'closed' })
    this.#say(errorMessage(this.#tell(failure)))
    this.#options.socket.close(failure.definition.close ?? 1011, failure.code)
    return this.#release()
  }

  #onMessage(message: ClientMessage): void {
    if (message.type === 'config') {
      if (this.#live !== null)
        throw new LeadlineError('CONFIG_REPEATED', 'This stream has its config already')
      return void this.#open(message)
    }
    const live = this.#expectLive(`"${message.type}"`)
    if (message.type === 'ping') return this.#pong(message.id)
    if (message.type === 'credit') live.outbox.grant(message.results)
    else if (this.#state === 'open') this.#command(live, message)
    this.#pump(live)
  }

  #command({ relay, session }: Live, message: ClientMessage): void {
    relay.flush()
    if (message.type === 'close') {
      this.#state = 'finishing'
      return
    }
    if (this.#unanswered === maxUnanswered) {
      const detail = `${maxUnanswered} "flush" and "reset" have no answer yet; wait for "flushed" and "reset"`
      throw new LeadlineError('FLOW_CONTROL', detail)
    }
    this.#unanswered++
    if (message.type === 'flush') session.flush(message.id ?? '')
    else session.reset()
  }

  async #open({ type: _, credit, ...wishes }: ConfigMessage): Promise<void> {
    const { sessions, defaultModel } = this.#options
    const options = sessionOptions(wishes, defaultModel)
    this.#state = 'opening'
    this.#silence.clear()
    try {
      this.#opening = sessions.open(options, (event) => this.#onEvent(event))
      const session = await this.#opening
      if (this.#state === 'opening') this.#start(session, options, credit)
    } catch (error) {
      await this.fail(error)
    }
  }

  #start(session: SessionHandle, { delivery }: SessionOptions, credit?: number): void {
    const { limits } = this.#options
    const { maxInFlight } = session.opened
    const outbox = new Outbox(delivery, credit)
    const onSuperseded = (seq: number) => outbox.settle({ type: 'drop', seq, reason: 'superseded' })
    this.#live = {
      ...{ session, outbox, tally: new Tally() },
      gate: new FrameGate({ delivery, maxInFlight, limits }),
      relay: new FrameRelay({ session, delivery, onSuperseded })
    }
    this.#state = 'open'
    this.#silence.set(limits.idleTimeoutMs, () => this.#onSilence())
    this.#say(readyMessage(session, limits))
    for (const { data, kind } of this.#early.take()) this.receive(data, kind)
  }

  #onFrame(live: Live, message: Uint8Array): void {
    if (this.#state === 'finishing') return
    const verdict = live.gate.judge(message, live.outbox.unsettled)
    live.tally.frame()
    if (verdict.kind === 'frame') {
      live.outbox.accept(verdict.frame.header.seq)
      live.relay.submit(verdict.frame)
    } else {
      live.outbox.settle(verdict.outcome)
    }
    this.#pump(live)
  }

  #onEvent(event: SessionEvent): void {
    if (this.#state === 'ended') return
    if (!isOutgoing(event)) return void this.fail(new LeadlineError(event.code, event.detail))
    const live = this.#live
    if (live === null) return
    live.outbox.push(event)
    if (isOutcome(event)) live.relay.settled()
    this.#pump(live)
  }

  /** Send all that may be sent now. */
  #pump(live: Live): void {
    const { socket } = this.#options
    while (this.#state !== 'ended' && !this.#isCongested) {
      const next = live.outbox.take()
      if (next === undefined) break
      if (isAnswer(next)) this.#unanswered--
      live.tally.outgoing(next)
      socket.send(
        writeOutgoing(next, (failure) => this.#tell(failure)),
        () => this.#onSent()
      )
    }
    this.#watchSocket(live)
    const isDone = live.outbox.unsettled === 0 && live.outbox.queued === 0 && this.#unanswered === 0
    if (this.#state === 'finishing' && isDone) void this.#finish(live)
  }

  get #isCongested(): boolean {
    return this.#options.socket.bufferedBytes > maxBufferedBytes
  }

  #onSent(): void {
    this.#stuck.clear()
    if (this.#state !== 'ended' && this.#live !== null) this.#pump(this.#live)
  }

  #watchSocket(live: Live): void {
    const isStuck = live.outbox.queued > 0 && this.#isCongested
    if (this.#state === 'ended' || !isStuck || this.#stuck.isSet) return
    const slow = new LeadlineError('SLOW_CONSUMER', `No message could be sent for ${slowConsumerMs} ms`)
    this.#stuck.set(slowConsumerMs, () => void this.fail(slow))
  }

  /** A client that waits for the session is not idle; one that leaves it waiting for credit is. */
  #onSilence(): void {
    const { idleTimeoutMs } = this.#options.limits
    if (this.#live?.outbox.owed === true) return this.#silence.set(idleTimeoutMs, () => this.#onSilence())
    void this.fail(new LeadlineError('SESSION_IDLE', `No message came for ${idleTimeoutMs} ms`))
  }

  /** The client said close and has every outcome. The slot is free before it hears so. */
  async #finish({ tally }: Live): Promise<void> {
    this.#state = 'ended'
    await this.#release()
    this.#say(tally.summary())
    this.#options.socket.close(1000, '')
  }

  #expectLive(what: string): Live {
    if (this.#live !== null) return this.#live
    throw new LeadlineError('CONFIG_EXPECTED', `The first message must be "config"; got ${what}`)
  }

  /** A client that pings and does not read gets no answers to pile up. */
  #pong(id: string | undefined): void {
    if (!this.#isCongested) this.#say(id === undefined ? { type: 'pong' } : { type: 'pong', id })
  }

  /** What ends a stream fails each of its frames: a line in the log for the first is enough. */
  #tell(failure: LeadlineError): PublicFailure {
    const isLogged = this.#logged.has(failure.code)
    this.#logged.add(failure.code)
    return this.#options.failures.tell(failure, isLogged ? null : this.#options.log)
  }

  #say(message: ServerMessage): void {
    this.#options.socket.send(JSON.stringify(message), () => this.#onSent())
  }

  #release(): Promise<void> {
    this.#released ??= this.#giveBack()
    return this.#released
  }

  async #giveBack(): Promise<void> {
    this.#silence.clear()
    this.#stuck.clear()
    this.#live?.relay.stop()
    if (this.#live !== null) return this.#close(this.#live.session)
    // A session takes long to open when its model is loaded first; nobody waits for one that is not wanted any more.
    void this.#opening?.then(
      (session) => this.#close(session),
      () => undefined
    )
  }

  async #close(session: SessionHandle): Promise<void> {
    try {
      await session.close()
    } catch (error) {
      this.#options.log.warn({ err: error }, 'session could not be closed')
    }
  }
}

/** Whether it answers a command of the client: each gets one. */
function isAnswer(event: Outgoing): boolean {
  return event.type === 'flushed' || (event.type === 'reset' && event.reason === 'client')
}
