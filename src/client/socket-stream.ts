import { LeadlineError } from '../errors.ts'
import type { ReadyMessage, SummaryMessage } from '../wire/protocol.ts'
import type { OutputConfig } from '../wire/output.ts'
import { contextParts } from '../wire/context-parts.ts'
import { Deferred } from '../deferred.ts'
import { Checkpoints } from './checkpoints.ts'
import type { Command } from './commands.ts'
import { Flushes } from './flushes.ts'
import { frameMessage, refuseTooLarge } from './frame-message.ts'
import { Incoming } from './incoming.ts'
import type { DepthStream, FrameInput, StreamHandle } from './depth-stream.ts'
import type { DepthResult, Outcome } from './outcome.ts'
import { Receipts } from './receipts.ts'
import { ReplayRing } from './replay-ring.ts'
import { Roaming } from './roaming.ts'
import type { StreamLink } from './stream-link.ts'
import type { StreamSetup } from './stream-setup.ts'
import { Upstream } from './upstream.ts'

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
  readonly #detached = new Deferred<StreamHandle>()
  readonly #checkpoints: Checkpoints
  readonly #flushes = new Flushes()
  #state: 'open' | 'closing' | 'leaving' | 'ended' = 'open'

  constructor(setup: StreamSetup) {
    const { config, context, resume, readAhead, isResumable, keepBytes, replayBytes } = setup
    const isLossless = (resume ?? config).delivery === 'lossless'
    this.#setup = setup
    this.#receipts = new Receipts({
      readAhead: readAhead ?? (isLossless ? 8 : 2),
      say: (message) => this.#roaming.link?.send(message)
    })
    this.#up = new Upstream({
      isLossless,
      maxBytes: keepBytes,
      isGranted: () => this.#receipts.isGranted,
      tell: (outcome) => this.#receipts.tell(outcome),
      onHeld: () => setup.onConnection({ type: 'held', unsettled: this.unsettled })
    })
    this.#ring = new ReplayRing(replayBytes)
    this.#checkpoints = new Checkpoints({
      ask: (id) => {
        this.#up.command({ type: 'checkpoint', id })
        this.#receipts.cover(this.#up.owed)
      },
      answered: (id) => this.#up.answered('checkpoint', id)
    })
    const incoming = new Incoming({
      up: this.#up,
      receipts: this.#receipts,
      ring: this.#ring,
      flushes: this.#flushes,
      checkpoints: this.#checkpoints,
      onConnection: setup.onConnection,
      onSettled: () => this.#hurry(),
      onSummary: () => this.#end(null),
      onDetached: () => this.#onDetached()
    })
    this.#roaming = new Roaming({
      ...setup,
      firstHello: () => {
        const credit = this.#receipts.credit(0)
        if (resume) {
          const { session, token, epoch, seq } = resume
          return { type: 'config', resume: { session, token, epoch, seq }, credit }
        }
        return {
          type: 'config',
          ...config,
          credit,
          ...(context === null ? {} : { context: { bytes: context.byteLength } }),
          resumable: isResumable
        }
      },
      context: context === null ? [] : contextParts(context),
      hello: (resume) => ({ type: 'config', resume, credit: this.#receipts.credit(this.#mustCome) }),
      position: () => this.#receipts.position,
      isOwed: () => this.#isOwed,
      onOpen: (link, ready) => this.#onOpen(link, ready),
      onResumed: (link, ready) => this.#onResumed(link, ready),
      onLost: () => this.#onLost(),
      onControl: (message) => incoming.control(message),
      onDepth: (map) => incoming.depth(map),
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

  get handle(): StreamHandle {
    const { session, resumeToken: token } = this.ready
    const { delivery } = this.#setup.resume ?? this.#setup.config
    return { session, token, ...this.#receipts.position, delivery }
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

  async detach(): Promise<StreamHandle> {
    this.#expectOpen()
    if (this.ready.limits.graceMs === 0)
      throw new LeadlineError('REQUEST_INVALID', 'The server keeps no session; close it')
    this.#state = 'leaving'
    this.#up.command({ type: 'detach' })
    return this.#detached.promise
  }

  close(): Promise<SummaryMessage> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      this.#up.command({ type: 'close' })
      this.#receipts.cover(this.#up.owed)
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
    this.#receipts.cover(this.#up.owed)
    return flushed
  }

  #expectOpen(): void {
    if (this.#state !== 'open') throw new LeadlineError('REQUEST_INVALID', 'The stream is over')
  }

  get #isOwed(): boolean {
    if (this.#state !== 'open' || this.#isWaiting) return true
    return this.#up.unsettled > 0 && this.#receipts.isGranted
  }

  /** Results that must come whether they are read or not. */
  get #mustCome(): number {
    return this.#isWaiting ? this.#up.owed : 0
  }

  /** For an answer that comes behind all outcomes. */
  get #isWaiting(): boolean {
    return this.#state === 'closing' || this.#flushes.isWaiting || this.#checkpoints.isWaiting
  }

  #onOpen(link: StreamLink, ready: ReadyMessage): void {
    const { limits, cacheSize, mode, epoch, continued, resumed } = ready
    const { resume } = this.#setup
    if (resume) this.#receipts.position = { seq: resume.seq, epoch: resume.epoch }
    this.#receipts.epoch = epoch
    if (limits.graceMs > 0) this.#receipts.acknowledge()
    if (mode !== 'single' && limits.graceMs > 0) this.#ring.keep(replayWindows * cacheSize)
    const sent = resumed?.after ?? continued?.seq ?? -1
    this.#up.open(link, limits.maxInFlight, sent, resumed?.seq, resume?.seq)
    // The frames of the past went with the stream that had them.
    if (resumed?.replay !== undefined) link.send({ type: 'replayed' })
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

  /** The server waits for this before it says that the stream is over. */
  #hurry(): void {
    if (this.#state === 'closing' && this.#up.unsettled === 0) this.#receipts.hurry()
  }

  /** What is on its way comes to whoever resumes. */
  #onDetached(): void {
    this.#detached.resolve(this.handle)
    this.#up.forget()
    this.#end(null, true)
  }

  /** Settle everything that is open, once: after a close or a detach with null, else with what went wrong. */
  #end(error: LeadlineError | null, isDetached = false): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const failure = error ?? new LeadlineError('CONNECTION_LOST', 'The stream was closed')
    this.#roaming.end(failure)
    this.#up.end(failure)
    this.#receipts.end(error)
    this.#checkpoints.end(failure)
    this.#flushes.end(isDetached ? failure : error)
    this.#detached.reject(failure)
    if (error === null) this.#farewell.resolve(this.#receipts.summary())
    else this.#farewell.reject(failure)
  }
}
