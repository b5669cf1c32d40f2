import type { FastifyBaseLogger } from 'fastify'
import type { FrameFlow, Opener } from '../../access/index.ts'
import { LeadlineError, asLeadlineError } from '../../errors.ts'
import type { ClientMessage, ConfigMessage, SessionPosition } from '../../wire/protocol.ts'
import type { SessionEvent } from '../../session.ts'
import type { SessionHandle, Sessions } from '../../sessions/index.ts'
import { Deadline } from '../deadline.ts'
import type { Failures } from '../failures.ts'
import { Conversation, isPlaced } from './conversation.ts'
import { EarlyMessages, type Held } from './early-messages.ts'
import { FrameTimes } from './frame-times.ts'
import { ContextArrival, openWish, type ContextRoom } from './context-arrival.ts'
import { leaveSession, type Farewell } from './leave-session.ts'
import type { Before, StreamLimits } from './messages.ts'
import { errorMessage, readMessage, readyMessage, writeOutgoing } from './messages.ts'
import { pacingOf } from './pacing.ts'
import type { StreamMeter } from './stream-meter.ts'
import { SocketWriter, type SocketWriterOptions } from './socket-writer.ts'
import { StreamFailures } from './stream-failures.ts'

export interface ConnectionOptions extends Pick<SocketWriterOptions, 'socket' | 'openBacklog'> {
  sessions: Sessions
  /** Whose the session is, and the limits of that key; null: none. */
  opener: Opener
  flow: FrameFlow | null
  limits: StreamLimits & { configTimeoutMs: number; uploadTimeoutMs: number }
  contexts: ContextRoom
  defaultModel: string
  failures: Failures
  meter: StreamMeter
  log: FastifyBaseLogger
}

type State = 'greeting' | 'opening' | 'open' | 'finishing' | 'ended'

/** By this the client says that nobody will come back. */
const normalClosure = 1000

/**
 * One socket of a session: config, ready, then frames in and outcomes out until either side ends it. Knows no transport:
 * its owner calls `receive` for each message and `closed` when the socket is gone.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #early: EarlyMessages
  readonly #writer: SocketWriter
  /** For the config at first, then for the next message of any kind. */
  readonly #silence = new Deadline()
  #state: State = 'greeting'
  #hasConfig = false
  #opening: Promise<SessionHandle> | null = null
  /** Between a `config` and the end of the context that it announced. */
  #arrival: ContextArrival | null = null
  /** Of a session that this socket came back to. */
  #position: SessionPosition | null = null
  /** From `ready` on. */
  #conversation: Conversation | null = null
  #earlyEvents: SessionEvent[] = []
  #released: Promise<void> | null = null
  readonly #failures: StreamFailures
  readonly #times: FrameTimes

  constructor(options: ConnectionOptions) {
    const { failures, limits, log, openBacklog, socket } = options
    this.#options = options
    this.#failures = new StreamFailures(failures, log)
    this.#times = new FrameTimes(options.meter)
    this.#early = new EarlyMessages(limits.maxFrameBytes)
    this.#writer = new SocketWriter({
      ...{ socket, openBacklog },
      onSent: () => this.#pump(),
      onStuck: (error) => void this.fail(error)
    })
    const { configTimeoutMs } = limits
    const late = new LeadlineError('CONFIG_TIMEOUT', `No "config" within ${configTimeoutMs} ms of connecting`)
    this.#silence.set(configTimeoutMs, () => void this.fail(late))
  }

  get hasConfig(): boolean {
    return this.#hasConfig
  }

  receive(data: Uint8Array, kind: Held['kind']): void {
    if (this.#state === 'ended') return
    try {
      if (this.#arrival !== null) return this.#onPart(this.#arrival, { data, kind })
      if (this.#state === 'opening') return this.#early.hold({ data, kind })
      if (this.#conversation !== null) this.#silence.putOff()
      if (kind === 'binary') this.#onFrame(this.#expectConversation('a frame'), data)
      else this.#onMessage(readMessage(data))
    } catch (error) {
      void this.fail(error)
    }
  }

  /** The socket is gone, whoever closed it. Resolves when the session was given back, if there was one. */
  closed(code: number): Promise<void> {
    const farewell = this.#isKept && code !== normalClosure ? 'detach' : 'close'
    this.#state = 'ended'
    return this.#release(farewell)
  }

  /** Tell the client what is wrong, then close. Resolves when the session was given back, if there was one. */
  fail(error: unknown): Promise<void> {
    if (this.#state === 'ended') return this.#release('close')
    const failure = asLeadlineError(error)
    const farewell = this.#isKept && failure.isOutlived ? 'detach' : 'close'
    this.#state = 'ended'
    if (farewell === 'close') for (const drop of this.#conversation?.abandon() ?? []) this.#writer.say(drop)
    this.#writer.say(errorMessage(this.#failures.tell(failure)))
    this.#options.socket.close(failure.definition.close ?? 1011, failure.code)
    return this.#release(farewell)
  }

  /** The server leaves in a while: whoever can go on elsewhere should. False: nobody can. */
  goAway(timeLeftMs: number): boolean {
    if (!this.#isKept) return false
    this.#writer.say({ type: 'goAway', timeLeftMs })
    return true
  }

  /** Whether the session outlives its socket. */
  get #isKept(): boolean {
    return (this.#conversation?.session.graceMs ?? 0) > 0
  }

  #onMessage(message: ClientMessage): void {
    if (message.type === 'config') {
      if (this.#conversation !== null)
        throw new LeadlineError('CONFIG_REPEATED', 'This stream has its config already')
      return this.#onConfig(message)
    }
    const conversation = this.#expectConversation(`"${message.type}"`)
    if (message.type === 'ping') return this.#pong(message.id)
    if (message.type === 'detach') return void this.#detach(conversation)
    if (message.type === 'credit') conversation.onCredit(message.results)
    else if (message.type === 'ack') conversation.onAck(message.seq)
    else if (this.#state === 'open') this.#command(conversation, message)
    this.#pump()
  }

  #command(conversation: Conversation, message: ClientMessage): void {
    if (message.type === 'replayed') return conversation.onReplayed()
    if (isPlaced(message)) return conversation.onCommand(message)
    if (message.type !== 'close') return
    conversation.finish()
    this.#state = 'finishing'
  }

  #onConfig(config: ConfigMessage): void {
    const { contexts, limits } = this.#options
    this.#hasConfig = true
    this.#state = 'opening'
    this.#silence.clear()
    if (config.context === undefined) return void this.#open(config, null)
    this.#arrival = new ContextArrival(config, config.context.bytes, contexts)
    const { uploadTimeoutMs } = limits
    const late = new LeadlineError('CONFIG_TIMEOUT', `The context did not come in ${uploadTimeoutMs} ms`)
    this.#silence.set(uploadTimeoutMs, () => void this.fail(late))
  }

  #onPart(arrival: ContextArrival, part: Held): void {
    const context = arrival.take(part)
    if (context === null) return
    this.#arrival = null
    this.#silence.clear()
    void this.#open(arrival.config, context).finally(() => arrival.end())
  }

  async #open(config: ConfigMessage, context: Uint8Array | null): Promise<void> {
    const { sessions, opener } = this.#options
    const { resume, credit } = config
    const onEvent = (event: SessionEvent): void => this.#onEvent(event)
    try {
      if (resume === undefined) {
        const wish = await openWish(config, context, this.#options)
        if (this.#state !== 'opening') return
        const opening = sessions.open(wish, onEvent)
        this.#opening = opening
        const session = await opening
        if (this.#state === 'opening') this.#start(session, { from: wish.from ?? null }, credit)
      } else {
        const opening = sessions.resume({ ...resume, owner: opener.owner }, onEvent)
        this.#opening = opening
        this.#position = resume
        const session = await opening
        if (this.#state === 'opening') this.#start(session, { taken: session }, credit)
      }
    } catch (error) {
      await this.fail(error)
    }
  }

  #start(session: SessionHandle, before: Before, credit: number | undefined): void {
    const { limits } = this.#options
    const { taken, from } = before
    const resumed = taken?.resumed ?? (from ? { seq: from.seq, after: from.seq, unsettled: [] } : null)
    const received = this.#position?.seq ?? -1
    const past = { received, resumed, wanted: taken?.wanted ?? null }
    this.#conversation = new Conversation({
      session,
      credit,
      limits,
      flow: this.#options.flow,
      ...{ times: this.#times, ...past },
      pacing: pacingOf(session.options.delivery, (message) => this.#writer.say(message))
    })
    this.#state = 'open'
    this.#silence.set(limits.idleTimeoutMs, () => this.#onSilence())
    if (taken?.resumed.continuity === 'exact') this.#options.meter.continued('exact')
    this.#writer.say(readyMessage(session, limits, before))
    for (const event of this.#earlyEvents.splice(0)) this.#onEvent(event)
    for (const { data, kind } of this.#early.take()) this.receive(data, kind)
  }

  #onFrame(conversation: Conversation, message: Uint8Array): void {
    if (this.#state === 'finishing') return
    conversation.onFrame(message)
    this.#pump()
  }

  #onEvent(event: SessionEvent): void {
    if (this.#state === 'ended') return
    if (event.type === 'error' && event.seq === null)
      return void this.fail(new LeadlineError(event.code, event.detail))
    if (this.#conversation === null) return void this.#earlyEvents.push(event)
    this.#conversation.onEvent(event as Parameters<Conversation['onEvent']>[0])
    this.#pump()
  }

  /** Send all that may be sent now. */
  #pump(): void {
    const conversation = this.#conversation
    if (conversation === null) return
    while (this.#state !== 'ended' && !this.#writer.isCongested) {
      const next = conversation.take()
      if (next === undefined) break
      const message = writeOutgoing(next, (failure) => this.#failures.tell(failure))
      this.#writer.write(message, this.#times.told(next))
    }
    this.#writer.watch(conversation)
    if (this.#state === 'finishing' && conversation.isDone) void this.#finish(conversation)
  }

  /** A client that waits for the session is not idle; one that leaves it waiting for credit is. */
  #onSilence(): void {
    const { idleTimeoutMs } = this.#options.limits
    if (this.#conversation?.owed === true) return this.#silence.set(idleTimeoutMs, () => this.#onSilence())
    void this.fail(new LeadlineError('SESSION_IDLE', `No message came for ${idleTimeoutMs} ms`))
  }

  /** The client said close and has every outcome. The slot is free before it hears so. */
  async #finish(conversation: Conversation): Promise<void> {
    this.#state = 'ended'
    await this.#release('close')
    this.#writer.say(conversation.summary())
    this.#options.socket.close(1000, '')
  }

  /** The client leaves and will be back. The session can be resumed before it hears so. */
  async #detach(conversation: Conversation): Promise<void> {
    this.#state = 'ended'
    conversation.leave()
    await this.#release('detach')
    this.#writer.say({ type: 'detached', graceMs: conversation.session.graceMs })
    this.#options.socket.close(1000, '')
  }

  #expectConversation(what: string): Conversation {
    if (this.#conversation !== null) return this.#conversation
    throw new LeadlineError('CONFIG_EXPECTED', `The first message must be "config"; got ${what}`)
  }

  /** A client that pings and does not read gets no answers to pile up. */
  #pong(id: string | undefined): void {
    if (!this.#writer.isCongested)
      this.#writer.say(id === undefined ? { type: 'pong' } : { type: 'pong', id })
  }

  #release(farewell: Farewell): Promise<void> {
    return (this.#released ??= this.#giveBack(farewell))
  }

  async #giveBack(farewell: Farewell): Promise<void> {
    const { log } = this.#options
    this.#silence.clear()
    this.#arrival?.end()
    this.#arrival = null
    this.#writer.stop()
    this.#conversation?.stop()
    if (this.#conversation !== null) return leaveSession(this.#conversation.session, farewell, log)
    // A session takes long to open when its model is loaded first; nobody waits for one that is not wanted any more. One
    // that was taken over has an owner, who did not hear of it and will ask again.
    void this.#opening?.then(
      (session) => leaveSession(session, this.#position === null ? 'close' : 'detach', log),
      () => undefined
    )
  }
}
