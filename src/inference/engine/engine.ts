import type { Logger } from 'pino'
import { LeadlineError } from '../../errors.ts'
import type { Quantity, ValidFrame } from '../../frame.ts'
import { modelSummary } from '../../manifest.ts'
import type { Manifest } from '../../manifest.ts'
import type {
  Delivery,
  EngineOffer,
  FrameEngine,
  OpenedSession,
  SessionEvent,
  SessionOptions
} from '../../session.ts'
import { EngineSession } from './engine-session.ts'
import type { EngineSessionOptions } from './engine-session.ts'
import type { Executor, Plan } from '../executor.ts'
import { VDA_WINDOW, windowShape } from '../latents/window.ts'
import type { PixelWork } from '../pixels/pixel-work.ts'
import { replayBytes, replayShape } from '../recovery/replay.ts'
import type { SlicedSession, SteppedSession } from './runnable.ts'
import { sessionPlan, worstCaseBytes, worstCases } from '../session-plan.ts'
import type { ServedModel } from '../session-plan.ts'
import { MemoryReservations } from './memory-reservations.ts'
import { StepLoop } from './step-loop.ts'
import type { StepMeter } from './step-loop.ts'
import { firstEpoch } from '../recovery/timeline.ts'

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
  /** Decodes frames and encodes depth. */
  pixels: PixelWork
  /** Makes the sessions of mode vda-window. */
  openWindows: (options: EngineSessionOptions) => SlicedSession
  /** Told of every step. */
  meter?: StepMeter
  log: Logger
}

/**
 * Frames a client may have without an outcome: enough to keep decoder, executor and encoder busy at once, and for
 * `lossless` a few more against jitter of the network.
 */
const maxInFlight: Record<Delivery, number> = { latest: 4, lossless: 8 }

/** An offline window is full before its first frame has depth; a few more keep the decoder busy. */
const offlineInFlight = VDA_WINDOW + 8

/** Models kept loaded that no session uses. */
const maxIdleModels = 2

const quantities: Record<Manifest['quantity'], Quantity> = {
  'relative-inverse-depth': 'relativeInverseDepth',
  'metric-depth': 'metricDepthMetres'
}

/**
 * The loop that joins sessions and executor: while one step runs, later frames are decoded and earlier ones encoded.
 * Loading a model for a new size happens inside the executor, from about a second to minutes, beside the steps of other
 * sessions.
 */
export class Engine implements FrameEngine {
  readonly offer: EngineOffer
  readonly #options: EngineOptions
  readonly #slots: MemoryReservations
  readonly #replayRoom: MemoryReservations
  readonly #loop: StepLoop
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

  /** Bytes that open sessions hold, out of `offer.capacityBytes`. */
  get reservedBytes(): number {
    return this.#slots.reservedBytes
  }

  get sessionCount(): number {
    return this.#sessions.size
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
    emit: (event: SessionEvent) => void
  ): Promise<OpenedSession> {
    const model = this.#options.models.get(options.model) ?? this.#unknownModel(options.model)
    const plan = sessionPlan(model, options)
    const isOffline = plan.mode === 'vda-window'
    const rule = model.manifest.resolution
    const { executor } = this.#options
    const bytes = worstCaseBytes(plan, rule, executor)
    this.#checkOpenable(sessionId)
    this.#slots.reserve(sessionId, bytes)
    const keptBytes = executor.onLoss ? replayBytes(plan, rule) : 0
    const keepsFrames = keptBytes > 0 && this.#replayRoom.hasRoomFor(keptBytes)
    if (keepsFrames) this.#replayRoom.reserve(sessionId, keptBytes)
    const sessionOptions: EngineSessionOptions = {
      id: sessionId,
      plan,
      options,
      quantity: quantities[model.manifest.quantity],
      prepare: { rule, maxPixels: this.#options.maxPixels },
      pixels: this.#options.pixels,
      keepsFrames,
      emit,
      onReady: () => this.#loop.wake(),
      onFailure: (failure) => this.#fail(session, failure)
    }
    const session: SteppedSession = isOffline
      ? this.#options.openWindows(sessionOptions)
      : new EngineSession(sessionOptions)
    this.#sessions.set(sessionId, session)
    return {
      model: options.model,
      modelDigest: plan.digest,
      mode: plan.mode,
      cacheSize: windowShape(plan.mode, plan.cacheSize).places,
      epoch: firstEpoch,
      continuity: null,
      replay: replayShape(plan),
      maxInFlight: isOffline ? offlineInFlight : maxInFlight[options.delivery],
      bytes
    }
  }

  /** Unknown sessions are ignored here and below: a frame may cross the news that its session has failed. */
  submit(sessionId: string, frame: ValidFrame): void {
    this.#sessions.get(sessionId)?.submit(frame)
  }

  flush(sessionId: string, id: string): void {
    this.#sessions.get(sessionId)?.flush(id)
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
      this.#replayRoom.free(session.id)
      this.#leaving.delete(session.id)
    })
    this.#leaving.set(session.id, left)
    return left
  }

  #unknownModel(name: string): never {
    const known = [...this.#options.models.keys()].join(', ') || 'none'
    throw new LeadlineError('MODEL_UNKNOWN', `There is no model "${name}"; this worker serves: ${known}`)
  }
}
