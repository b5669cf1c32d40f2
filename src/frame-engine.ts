import type { EnginePace } from './metering/engine-pace.ts'
import type { ValidFrame } from './wire/frame.ts'
import type { ServiceClass, Tenant } from './metering/measures.ts'
import type { OutputChange } from './wire/output.ts'
import type {
  Continuity,
  EngineOffer,
  OpenedSession,
  SessionContext,
  SessionEvent,
  SessionOptions,
  StreamPosition
} from './session.ts'

/** A session that stands still between two frames. */
export interface HaltedSession {
  context: SessionContext
  /** Twice does no harm, nor once the session is closed. */
  goOn(): void
}

/** How a session comes to its engine. */
export interface EngineEntry {
  /** What it goes on from. @default nothing */
  context?: SessionContext
  /** With whom it shares what the engine gives each. @default nobody that is known */
  tenant?: Tenant
  /** Whom it comes behind: a clip's frames are stepped when no live ones are ready, but for a small share. @default live */
  service?: ServiceClass
}

/**
 * What the sessions room asks of whoever runs inference. The engine satisfies it, the entry points join the two.
 * `submit`, `flush` and `reset` keep their order; their outcomes come through `emit`, never by exception.
 */
export interface FrameEngine {
  readonly offer: EngineOffer
  readonly pace: EnginePace
  /**
   * With a context the session goes on from it: its latent cache is made anew before its first frame, whose outcome
   * `recovered` precedes. Throws MODEL_UNKNOWN, MODEL_MODE_UNSUPPORTED, NO_CAPACITY, EXECUTOR_FAILED, CONTEXT_INVALID.
   */
  open(
    sessionId: string,
    options: SessionOptions,
    emit: (event: SessionEvent) => void,
    entry?: EngineEntry
  ): Promise<OpenedSession>
  /**
   * What another session can go on from, once every frame submitted before has its outcome; with `latents` if wished, which
   * are as large as the session's device memory. Throws SESSION_UNKNOWN; also once the session has ended meanwhile.
   */
  context(sessionId: string, wishes?: { latents?: boolean }): Promise<SessionContext>
  /**
   * The same with latents, once the frame that is in its step has its outcome. Those that wait, and what follows them, stand
   * still until `goOn`; who closes the session instead has dropped them.
   */
  halt(sessionId: string): Promise<HaltedSession>
  /**
   * Resolves when the latent cache holds all that can be had of the context it was opened with, with what is still to be
   * told of it. Throws as `context`.
   */
  whole(sessionId: string): Promise<Continuity | null>
  /**
   * Gives the session's device memory back, once every frame submitted before has its outcome. Resolves with the bytes, also
   * of one that is parked already: 0 of a session that has more frames waiting, or is unknown. The next frame takes them
   * again, and `recovered` precedes its outcome; where they do not fit by then, it fails with NO_CAPACITY and the session
   * stays parked.
   */
  park(sessionId: string): Promise<number>
  submit(sessionId: string, frame: ValidFrame): void
  /** Where the stream stands just now; null where that is not known. */
  position(sessionId: string): StreamPosition | null
  /** Emits `flushed` after the outcome of every frame submitted before it. */
  flush(sessionId: string, id: string): void
  /** Of frames submitted from here on. Emits `updated` after the outcome of every frame submitted before it. */
  update(sessionId: string, change: OutputChange): void
  /** Forget the past: the next frame starts a new epoch. */
  reset(sessionId: string): void
  /** Frames still waiting are dropped with reason "closed". Unknown ids are ignored: closing twice does no harm. */
  close(sessionId: string): Promise<void>
}
