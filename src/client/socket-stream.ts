import { LeadlineError } from '../errors.ts'
import { flags, type ValidFrame } from '../wire/frame.ts'
import type { ReadyMessage, ServerMessage, SummaryMessage } from '../wire/protocol.ts'
import type { OutputConfig } from '../wire/output.ts'
import type { SessionConfig } from '../session.ts'
import type { ConnectionEvent } from './connection-event.ts'
import { contextParts } from '../wire/context-parts.ts'
import { Deferred } from '../deferred.ts'
import { Checkpoints } from './checkpoints.ts'
import type { Command } from './commands.ts'
import { Flushes } from './flushes.ts'
import { depthResult } from './depth-result.ts'
import { frameMessage, refuseTooLarge } from './frame-message.ts'
import type { DepthStream, FrameInput } from './depth-stream.ts'
import type { DepthResult, Outcome } from './outcome.ts'
import { Receipts } from './receipts.ts'
import type { Dial } from './reconnect.ts'
import { ReplayRing } from './replay-ring.ts'
import { Roaming } from './roaming.ts'
import { serverFailure } from './server-failure.ts'
import type { StreamLink } from './stream-link.ts'
import { Upstream } from './upstream.ts'

export interface StreamSetup {
  dial: Dial
  config: SessionConfig
  /** What the session goes on from; null: nothing. */
  context: Uint8Array | null
  readAhead: number | undefined
  isResumable: boolean
  /** Of frames without outcome. */
  keepBytes: number
  /** Of frames with one. */
  replayBytes: number
  onConnection: (event: ConnectionEvent) => void
  /** Numbers in [0, 1). */
  random: () => number
}

/** How many windows of frames make a latent cache anew: docs/decisions/0011-sessions-outlive-the-executor.md. */
const replayWindows = 3

/** A stream over one socket after the other. */
export class SocketStream implements DepthStream {
  readonly #setup: StreamSetup
  readonly #up: Upstream
  readonly #receipts: Receipts
  readonly #ring: ReplayRing
  readonly #roaming: Roaming
  readonly #farewell = new Deferred<SummaryMessage>()
  readonly #checkpoints: Checkpoints
  readonly #flushes = new Flushes()
  #state: 'open' | 'closing' | 'ended' = 'open'

  constructor(setup: StreamSetup) {
    const { config, context, readAhead, isResumable, keepBytes, replayBytes } = setup
    const isLossless = config.delivery === 'lossless'
    this.#setup = setup
    this.#receipts = new Receipts({
      readAhead: readAhead ?? (isLossless ? 8 : 2),
      say: (message) => this.#roaming.link?.send(message)
    })
    this.#up = new Upstream({
      ...{ isLossless, maxBytes: keepBytes, isGranted: () => this.#receipts.isGranted },
      tell: (outcome) => this.#receipts.tell(outcome),
      onHeld: () => setup.onConnection({ type: 'held', unsettled: this.unsettled })
    })
    this.#ring = new ReplayRing(replayBytes)
    this.#checkpoints = new Checkpoints({
      ask: (id) => {
        this.#up.command({ type: 'checkpoint', id })
        this.#receipts.cover(this.unsettled)
      },
      answered: (id) => this.#up.answered('checkpoint', id)
    })
    this.#roaming = new Roaming({
      ...setup,
      firstHello: () => ({
        ...{ type: 'config', ...config, credit: this.#receipts.credit(0) },
        ...(context === null ? {} : { context: { bytes: context.byteLength } }),
        ...(isResumable ? { resumable: true } : {})
      }),
      context: context === null ? [] : contextParts(context),
      hello: (resume) => ({ type: 'config', resume, credit: this.#receipts.credit(this.#mustCome) }),
      position: () => this.#receipts.position,
      isOwed: () => this.#isOwed,
      onOpen: (link, ready) => this.#onOpen(link, ready),
      onResumed: (link, ready) => this.#onResumed(link, ready),
      onLost: () => this.#onLost(),
      onControl: (message) => this.#onControl(message),
      onDepth: (map) => this.#onDepth(map),
      onContext: (part) => this.#checkpoints.part(part),
      onFailed: (error) => this.#onFailed(error)
    })
  }

  /** Resolves once nothing follows. */
  get ended(): Promise<void> {
    return this.#farewell.promise.then(
      () => undefined,
      () => undefined
    )
  }

  /** Connect and open the session. */
  open(signal: AbortSignal): Promise<void> {
    return this.#roaming.open(signal)
  }

  get ready(): ReadyMessage {
    return this.#roaming.ready
  }

  get unsettled(): number {
    return this.#up.unsettled
  }

  get results(): AsyncIterable<DepthResult> {
    return { [Symbol.asyncIterator]: () => this.#receipts.readResults() }
  }

  get outcomes(): AsyncIterable<Outcome> {
    return { [Symbol.asyncIterator]: () => this.#receipts.readOutcomes() }
  }

  async send(frame: FrameInput): Promise<number> {
    refuseTooLarge(frame, this.#roaming.ready.limits.maxFrameBytes)
    await this.#up.room()
    this.#expectOpen()
    return this.#up.send((seq) => frameMessage(seq, frame))
  }

  flush(): Promise<void> {
    // A stream that ends flushes by itself, and answers nothing else any more.
    if (this.#state !== 'open') return this.#farewell.promise.then(() => undefined)
    return this.#ask((id) => ({ type: 'flush', id }))
  }

  async update(output: OutputConfig): Promise<void> {
    this.#expectOpen()
    return this.#ask((id) => ({ type: 'update', id, output }))
  }

  reset(): void {
    if (this.#state === 'open') this.#up.command({ type: 'reset' })
  }

  async checkpoint(): Promise<Uint8Array> {
    this.#expectOpen()
    return this.#checkpoints.save()
  }

  close(): Promise<SummaryMessage> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      this.#up.command({ type: 'close' })
      this.#receipts.cover(this.unsettled)
      this.#hurry()
    }
    return this.#farewell.promise
  }

  abort(reason?: unknown): void {
    this.#end(new LeadlineError('CONNECTION_LOST', 'The stream was aborted on this side', { cause: reason }))
  }

  /** Said in its place; resolves with the answer, for which every depth map before must come. */
  #ask(command: (id: string) => Command): Promise<void> {
    const { id, flushed } = this.#flushes.add()
    this.#up.command(command(id))
    this.#receipts.cover(this.unsettled)
    return flushed
  }

  #expectOpen(): void {
    if (this.#state !== 'open')
      throw new LeadlineError('REQUEST_INVALID', 'The stream was closed; nothing can follow')
  }

  get #isOwed(): boolean {
    if (this.#isWaiting) return true
    return this.#up.unsettled > 0 && this.#receipts.isGranted
  }

  /** Results that must come whether they are read or not. */
  get #mustCome(): number {
    return this.#isWaiting ? this.unsettled : 0
  }

  /** For an answer that comes behind all outcomes. */
  get #isWaiting(): boolean {
    return this.#state === 'closing' || this.#flushes.isWaiting || this.#checkpoints.isWaiting
  }

  #onOpen(link: StreamLink, { limits, cacheSize, mode, epoch, continued }: ReadyMessage): void {
    this.#receipts.epoch = epoch
    if (limits.graceMs > 0) this.#receipts.acknowledge()
    if (mode !== 'single' && limits.graceMs > 0) this.#ring.keep(replayWindows * cacheSize)
    this.#up.open(link, limits.maxInFlight, (continued?.seq ?? -1) + 1)
  }

  #onResumed(link: StreamLink, { epoch, resumed }: ReadyMessage): { resent: number; replayed: number } {
    this.#up.pace(null)
    this.#receipts.epoch = epoch
    const history = resumed?.replay === undefined ? null : this.#ring.replay(resumed.replay)
    for (const message of history ?? []) link.send(message)
    if (history !== null) link.send({ type: 'replayed' })
    this.#receipts.greeted()
    const resent = this.#up.resume(link, resumed?.after ?? -1)
    return { resent, replayed: history?.length ?? 0 }
  }

  #onLost(): void {
    this.#up.lose()
    this.#receipts.lose()
    this.#checkpoints.lose()
  }

  /** The server has freed the session, and only its last words were lost. */
  #onFailed(error: LeadlineError): void {
    const isDone = this.#state === 'closing' && this.#up.unsettled === 0 && error.code === 'SESSION_UNKNOWN'
    this.#end(isDone ? null : error)
    if (!isDone) this.#setup.onConnection({ type: 'failed', error })
  }

  #onControl(message: ServerMessage): void {
    if (message.type === 'flushed' || message.type === 'updated') {
      this.#up.answered(message.type === 'flushed' ? 'flush' : 'update', message.id)
      this.#flushes.answered(message.id)
    }
    if (message.type === 'checkpoint') this.#checkpoints.told(message)
    if (message.type === 'reset') this.#onReset(message)
    if (message.type === 'recovered') this.#onRecovered(message)
    if (message.type === 'advice') this.#up.pace(message.fps)
    if (['notice', 'parked', 'advice', 'recovered'].includes(message.type))
      this.#setup.onConnection(message as ConnectionEvent)
    if (message.type === 'drop') {
      const { seq, reason } = message
      this.#settle(seq, (latencyMs) => ({ type: 'drop', seq, latencyMs, reason }))
    }
    if (message.type === 'error' && message.seq !== undefined) {
      const { seq } = message
      const error = serverFailure(message)
      this.#settle(seq, (latencyMs) => ({ type: 'error', seq, latencyMs, error }))
    }
    if (message.type === 'summary') this.#end(null)
  }

  #onReset({ epoch, reason }: Extract<ServerMessage, { type: 'reset' }>): void {
    if (reason === 'client') this.#up.wasReset()
    this.#receipts.epoch = epoch
    this.#ring.clear()
  }

  #onRecovered({ continuity, epoch }: Extract<ServerMessage, { type: 'recovered' }>): void {
    this.#receipts.epoch = epoch
    if (continuity === 'new') this.#ring.clear()
  }

  #onDepth({ header, payload }: ValidFrame): void {
    const { seq, epoch } = header
    const isBlank = (header.flags & flags.blank) !== 0
    const frame = this.#up.frame(seq)
    if (frame !== null && !isBlank) this.#ring.push(frame)
    this.#receipts.epoch = epoch
    this.#receipts.arrived()
    const isHeard = this.#settle(seq, (latencyMs) => depthResult({ header, payload }, latencyMs))
    if (!isHeard) this.#receipts.passedOver()
  }

  #settle(seq: number, outcome: (latencyMs: number) => Outcome): boolean {
    this.#receipts.received(seq)
    const isHeard = this.#up.settle(seq, outcome)
    this.#hurry()
    return isHeard
  }

  /** The server waits for this before it says that the stream is over. */
  #hurry(): void {
    if (this.#state === 'closing' && this.#up.unsettled === 0) this.#receipts.hurry()
  }

  /** Settle everything that is open, once: after a close with null, else with what went wrong. */
  #end(error: LeadlineError | null): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const failure = error ?? new LeadlineError('CONNECTION_LOST', 'The stream was closed')
    this.#roaming.end(failure)
    this.#up.end(failure)
    this.#receipts.end(error)
    this.#checkpoints.end(failure)
    this.#flushes.end(error)
    if (error === null) this.#farewell.resolve(this.#receipts.summary())
    else this.#farewell.reject(failure)
  }
}
