import type { Logger } from 'pino'
import type { EnginePace } from '../../metering/engine-pace.ts'
import { LeadlineError } from '../../errors.ts'
import type { FrameMeter } from '../../metering/frame-stages.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import { modelSummary } from '../../manifest.ts'
import type { EngineEntry, FrameEngine, HaltedSession } from '../../frame-engine.ts'
import type { OutputChange } from '../../wire/output.ts'
import type { Continuity, EngineOffer, OpenedSession, SessionContext } from '../../session.ts'
import type { SessionEvent, SessionOptions, StreamPosition } from '../../session.ts'
import { EngineSession } from './engine-session.ts'
import type { EngineSessionOptions } from './engine-session-options.ts'
import type { Executor, Plan } from '../executor.ts'
import type { SharedPixelWork } from '../pixels/pixel-work.ts'
import { readContext } from '../recovery/read-context.ts'
import { replayBytes } from '../recovery/replay.ts'
import type { SlicedSession, SteppedSession } from './runnable.ts'
import { sessionPlan, worstCaseBytes, worstCases } from '../session-plan.ts'
import type { ServedModel } from '../session-plan.ts'
import { MemoryReservations } from './memory-reservations.ts'
import { Parking } from './parking.ts'
import { RecentPace } from './recent-pace.ts'
import { openedSession } from './opened-session.ts'
import { StepLoop } from './step-loop.ts'
import type { StepMeter } from './step-loop.ts'

export interface EngineOptions {
  executor: Executor
  /** By the name a client asks for. */
  models: ReadonlyMap<string, ServedModel>
  /** Device memory for latent caches. */
  capacityBytes: number
  /** Largest width times height of a source frame. */
  maxPixels: number
  /** Host memory for the frames from which lost latent caches are made anew. */
  replayBytes: number
  /** Host memory for the latent caches of parked sessions. */
  parkedBytes: number
  /** Decodes frames and encodes depth. */
  pixels: SharedPixelWork
  /** Makes the sessions of mode vda-window. */
  openWindows: (options: EngineSessionOptions) => SlicedSession
  /** Told of every step and every depth map. */
  meter?: StepMeter & FrameMeter
  log: Logger
}

/** Models kept loaded that no session uses. */
const maxIdleModels = 2

/**
 * The loop that joins sessions and executor: while one step runs, later frames are decoded and earlier ones encoded.
 * Loading a model for a new size happens inside the executor, from about a second to minutes, beside the steps of other
 * sessions.
 */
export class Engine implements FrameEngine, FrameMeter {
  readonly offer: EngineOffer
  readonly #options: EngineOptions
  readonly #slots: MemoryReservations
  readonly #replayRoom: MemoryReservations
  readonly #loop: StepLoop
  readonly #parking: Parking
  readonly #pace = new RecentPace()
  readonly #sessions = new Map<string, SteppedSession>()
  /** Sessions that ended and still hold their slot, for as long as their last step runs. */
  readonly #leaving = new Map<string, Promise<void>>()
  #closed = false

  constructor(options: EngineOptions) {
    const { executor, models, capacityBytes, replayBytes: replayCapacityBytes, meter, log } = options
    this.#options = options
    this.#slots = new MemoryReservations(capacityBytes)
    this.#replayRoom = new MemoryReservations(replayCapacityBytes)
    this.#loop = new StepLoop({
      executor,
      maxIdleModels,
      sessions: this.#sessions,
      onFailure: (session, failure) => this.#fail(session, failure),
      ...(meter && { meter }),
      log
    })
    this.#parking = new Parking({
      ...{ slots: this.#slots, capacityBytes: options.parkedBytes, loop: this.#loop },
      isOpen: (session) => this.#sessions.get(session.id) === session
    })
    this.offer = {
      models: [...models].map(([name, model]) => ({
        ...modelSummary(model.manifest),
        name,
        sessionBytes: worstCases(model, executor)
      })),
      capacityBytes,
      device: executor.caps.device
    }
    executor.onLoss?.((failure) => this.#loop.loseStates(failure))
  }

  /** A frame of a session got its depth map. */
  framed(frame: Parameters<FrameMeter['framed']>[0]): void {
    this.#pace.framed(frame)
    this.#options.meter?.framed(frame)
  }

  get pace(): EnginePace {
    return { ...this.#pace.read(), parkedSessions: this.parkedCount }
  }

  /** Bytes that open sessions hold, out of `offer.capacityBytes`. */
  get reservedBytes(): number {
    return this.#slots.reservedBytes
  }

  /** Host memory that the latent caches of parked sessions hold. */
  get parkedBytes(): number {
    return this.#parking.bytes
  }

  /** Sessions that hold no device memory until their next frame. */
  get parkedCount(): number {
    return this.#parking.count
  }

  /** Why steps are slower than they could be, or null. It lasts until the next start. */
  get degradation(): string | null {
    return this.#loop.degradation
  }

  /** Load the plan's model now, and keep it though no session uses it. Throws as the executor's `load` does. */
  keepLoaded(plan: Plan): Promise<void> {
    return this.#loop.keepLoaded(plan)
  }

  /** Throws MODEL_UNKNOWN, MODEL_MODE_UNSUPPORTED, NO_CAPACITY; EXECUTOR_FAILED once the engine is closed. */
  async open(
    sessionId: string,
    options: SessionOptions,
    emit: (event: SessionEvent) => void,
    { context, tenant = '', service = 'live' }: EngineEntry = {}
  ): Promise<OpenedSession> {
    const model = this.#options.models.get(options.model) ?? this.#unknownModel(options.model)
    const plan = sessionPlan(model, options)
    const rule = model.manifest.resolution
    const { executor } = this.#options
    const bytes = worstCaseBytes(plan, rule, executor)
    const { maxPixels } = this.#options
    const pixels = this.#options.pixels.of({ tenant, service, session: sessionId })
    const prepare = { rule, maxPixels, withGuide: options.output.refine }
    this.#checkOpenable(sessionId)
    const past = context ? await readContext(context, { plan, wishes: options, pixels, prepare }) : null
    this.#checkOpenable(sessionId)
    this.#slots.reserve(sessionId, bytes)
    const keptBytes = replayBytes(plan, rule)
    const keepsFrames = keptBytes > 0 && this.#replayRoom.hasRoomFor(keptBytes)
    if (keepsFrames) this.#replayRoom.reserve(sessionId, keptBytes)
    const sessionOptions: EngineSessionOptions = {
      ...{ id: sessionId, tenant, service },
      plan,
      options,
      quantity: model.manifest.quantity,
      prepare,
      pixels,
      keepsFrames,
      past,
      meter: this,
      emit,
      onReady: () => this.#loop.wake(),
      onFailure: (failure) => this.#fail(session, failure)
    }
    const session: SteppedSession =
      plan.mode === 'vda-window'
        ? this.#options.openWindows(sessionOptions)
        : new EngineSession(sessionOptions)
    this.#sessions.set(sessionId, session)
    this.#loop.wake()
    return openedSession(session, { plan, options, bytes })
  }

  /** Unknown sessions are ignored here and below: a frame may cross the news that its session has failed. */
  submit(sessionId: string, frame: ValidFrame): void {
    const session = this.#sessions.get(sessionId)
    const refusal = session?.kind === 'frame' && session.isParked ? this.#parking.bringBack(session) : null
    if (refusal && session?.kind === 'frame') session.refuse(frame, refusal)
    else session?.submit(frame)
  }

  async context(sessionId: string, { latents = false } = {}): Promise<SessionContext> {
    const { context, goOn } = await this.#stand(sessionId, latents, false)
    goOn()
    return context
  }

  halt(sessionId: string): Promise<HaltedSession> {
    return this.#stand(sessionId, true, true)
  }

  async whole(sessionId: string): Promise<Continuity | null> {
    const session = this.#stream(sessionId)
    const release = await session.atBoundary()
    const { untold } = session.memory.history
    release()
    return untold
  }

  async park(sessionId: string): Promise<number> {
    const session = this.#sessions.get(sessionId)
    return session?.kind === 'frame' ? this.#parking.park(session) : 0
  }

  position(sessionId: string): StreamPosition | null {
    return this.#sessions.get(sessionId)?.position ?? null
  }

  flush(sessionId: string, id: string): void {
    this.#sessions.get(sessionId)?.flush(id)
  }

  update(sessionId: string, change: OutputChange): void {
    const session = this.#sessions.get(sessionId)
    if (session?.kind === 'frame') session.update(change)
  }

  reset(sessionId: string): void {
    this.#sessions.get(sessionId)?.reset()
  }

  async close(sessionId: string): Promise<void> {
    const session = this.#sessions.get(sessionId)
    if (!session) return this.#leaving.get(sessionId)
    const left = this.#leave(session)
    session.end()
    await left
  }

  /** Close every session and wait until their slots are free. The executor stays open. Twice without harm. */
  async closeAll(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#sessions.keys()].map((id) => this.close(id)))
    await Promise.all(this.#leaving.values())
    this.#loop.close()
  }

  async #stand(sessionId: string, latents: boolean, isAhead: boolean): Promise<HaltedSession> {
    const session = this.#stream(sessionId)
    const goOn = await session.atBoundary(isAhead)
    const held = latents ? await this.#loop.latentsOf(session) : null
    if (this.#sessions.get(sessionId) !== session) this.#unknownSession(sessionId)
    return { context: session.memory.context(held), goOn }
  }

  /** What `open` refuses whatever the model. */
  #checkOpenable(sessionId: string): void {
    if (this.#closed) throw new LeadlineError('DRAINING', 'This worker is shutting down')
    if (this.#sessions.has(sessionId) || this.#leaving.has(sessionId)) {
      throw new LeadlineError('INTERNAL', `Session ${sessionId} is already open on this worker`)
    }
  }

  #fail(session: SteppedSession, failure: LeadlineError): void {
    if (this.#sessions.get(session.id) !== session) return
    this.#options.log.warn({ err: failure, session: session.id }, 'a session failed')
    const left = this.#leave(session)
    session.fail(failure)
    left.catch((error: unknown) => this.#options.log.error({ err: error }, 'could not free a slot'))
  }

  /** Out of the map first: what its last events set off finds it gone. */
  #leave(session: SteppedSession): Promise<void> {
    this.#sessions.delete(session.id)
    const left = this.#loop.vacate(session).finally(() => {
      this.#slots.free(session.id)
      this.#parking.forget(session.id)
      this.#replayRoom.free(session.id)
      this.#leaving.delete(session.id)
    })
    this.#leaving.set(session.id, left)
    return left
  }

  /** Throws SESSION_UNKNOWN; MODEL_MODE_UNSUPPORTED of an offline window, from which nothing can go on. */
  #stream(sessionId: string): EngineSession {
    const session = this.#sessions.get(sessionId) ?? this.#unknownSession(sessionId)
    if (session.kind === 'frame') return session
    throw new LeadlineError('MODEL_MODE_UNSUPPORTED', 'A session of mode vda-window has no context')
  }

  #unknownSession(sessionId: string): never {
    throw new LeadlineError('SESSION_UNKNOWN', `There is no session ${sessionId} on this worker`)
  }

  #unknownModel(name: string): never {
    const known = [...this.#options.models.keys()].join(', ') || 'none'
    throw new LeadlineError('MODEL_UNKNOWN', `There is no model "${name}"; this worker serves: ${known}`)
  }
}
