import type { FrameEngine, HaltedSession } from '../../../frame-engine.ts'
import type { OpenedSession, SessionContext, SessionOptions } from '../../../session.ts'
import type { Conversation } from '../conversation.ts'
import type { Moved, MovingSession } from '../../link.ts'
import type { SessionWish } from '../../placement.ts'
import type { DeviceSeat } from '../parking/device-seat.ts'
import type { Voice } from '../voice.ts'
import type { Movable } from './next-to-move.ts'
import type { Standstill } from './standstill.ts'

/** Redis takes no piece of more than 512 MiB; without latents a cache is made anew from its frames. */
const maxLatentBytes = 256 * 2 ** 20

interface DepartureOptions {
  sessionId: string
  engine: Pick<FrameEngine, 'context' | 'halt'>
  conversation: Conversation
  voice: Voice
  standstill: Standstill
  /** The session as it is now; null: it is not open. */
  current: () => Current | null
  /** Free what it has here, without a word. */
  giveUp: (reason: string) => Promise<void>
}

interface Current {
  options: SessionOptions
  opened: OpenedSession
  seat: DeviceSeat
  /** Whether nothing is on its way that belongs to this moment. */
  canMove: boolean
  /** That the engine made an outcome of. */
  lastSeq: number
}

/** How a session leaves its worker for another: it stands still between two frames until that one has it. */
export class Departure {
  readonly #options: DepartureOptions
  /** In the engine, before frames that wait for their steps. */
  #halted: HaltedSession | null = null

  constructor(options: DepartureOptions) {
    this.#options = options
  }

  /** Whether `pack` may be called now. */
  get isPossible(): boolean {
    return this.#options.current()?.canMove === true
  }

  /** As far as it matters for whose turn it is; null: it cannot move now. */
  get movable(): Movable | null {
    const now = this.#options.current()
    return now?.canMove ? { framesInFlight: now.seat.framesInFlight, idleMs: now.seat.idleMs } : null
  }

  /** What the session has reserved here and another could have; 0 of one that is parked. */
  get deviceBytes(): number {
    return this.#options.current()?.seat.view?.bytes ?? 0
  }

  /** What another worker must have to take it; null: it is not open. */
  get sought(): SessionWish | null {
    const now = this.#options.current()
    return now && { ...now.options, modelDigest: now.opened.modelDigest }
  }

  /**
   * What another worker needs. What comes for the session waits until `stay` or `moveOn`, and so do its frames that wait for
   * their steps, if its gateway would send them to the other worker; else they have their outcomes first. Null: not now, or
   * never.
   */
  async pack(): Promise<MovingSession | null> {
    const { sessionId, conversation, voice, standstill, current } = this.#options
    const before = current()
    if (before?.canMove !== true) return null
    standstill.begin()
    before.seat.isHeld = true
    const context = await this.#take().catch(() => null)
    const now = current()
    if (!context || !now) return null
    const past = { context: portable(context), ...conversation.handOn(now.lastSeq) }
    const { account, isResumable: resumable } = conversation
    return { sessionId, token: voice.token, options: now.options, account, resumable, past }
  }

  /** It goes on here. */
  stay(): void {
    const now = this.#options.current()
    if (now) now.seat.isHeld = false
    this.#halted?.goOn()
    this.#halted = null
    this.#options.standstill.end()
  }

  /** It goes on there. Resolves when its memory here is free. */
  moveOn(moved: Moved): Promise<void> {
    this.#options.standstill.drop()
    this.#options.voice.say({ type: 'moved', ...moved })
    return this.#options.giveUp('it moved to another worker')
  }

  async #take(): Promise<SessionContext> {
    const { engine, conversation, sessionId } = this.#options
    if (!conversation.isSentAgain) return engine.context(sessionId, { latents: true })
    this.#halted = await engine.halt(sessionId)
    return this.#halted.context
  }
}

/** It goes to another worker in one piece, which its link has to hold. */
function portable(context: SessionContext): SessionContext {
  const isTooLarge = (context.latents?.byteLength ?? 0) > maxLatentBytes
  return isTooLarge ? { ...context, latents: null } : context
}
