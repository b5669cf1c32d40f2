import type { LeadlineError } from '../errors.ts'
import type { ValidFrame } from '../wire/frame.ts'
import type { ErrorCode } from '../errors.ts'
import type { Account } from '../metering/measures.ts'
import type { OutputChange } from '../wire/output.ts'
import type { ModelOffer, OpenedSession, SessionContext, SessionEvent, SessionOptions } from '../session.ts'
import type { SessionKey, SessionRow } from './session-store.ts'
import type { CheckpointWish, DepthlessOutcome, Resumed } from './sessions.ts'

/** Gateway to worker. A session's commands arrive in the order they were sent, each once. */
export type SessionCommand =
  | { type: 'open'; options: SessionOptions; account: Account; resumable: boolean; past?: OpenPast }
  /**
   * The first under a new token: whoever sends it has taken the session, whose row is this now. The outcomes after `afterSeq`
   * are to be told again.
   */
  | { type: 'adopt'; afterSeq: number; row: SessionRow }
  /**
   * The first of a gateway whose session was moved here under this token. Where it may not have heard all that the former
   * worker said, outcomes after `afterSeq` are to be told again; `settled` are those of its own that it had told by then.
   */
  | { type: 'join'; afterSeq: number | null; settled: readonly DepthlessOutcome[] }
  | { type: 'frame'; frame: ValidFrame; aside?: Aside }
  | { type: 'aside'; aside: Aside }
  | { type: 'flush'; id: string }
  | { type: 'reset' }
  | ({ type: 'update' } & OutputChange)
  | ({ type: 'checkpoint' } & CheckpointWish)
  /** Nobody hears the events from here on: keep what is to be told. The link says so itself where it notices. */
  | { type: 'detach' }
  | { type: 'close' }

/** Of a session that another worker had before, or of a checkpoint. */
export interface OpenPast {
  context: SessionContext
  /** The session is a new one that goes on from a checkpoint: where it cannot be opened it is over. */
  isCheckpoint?: boolean
  /** What its client was told and has not acknowledged, in order: kept, and told again only to who adopts the session. */
  told: readonly SessionEvent[]
  /** The highest seq that has an outcome; those that follow are sent again. */
  after: number
}

/** Where a session went. */
export interface Moved {
  workerId: string
  token: number
}

/** A session between two of its frames, on its way from one worker to another. */
export interface MovingSession {
  sessionId: string
  /** Of its row; who commits the move has the next one. */
  token: number
  options: SessionOptions
  account: Account
  resumable: boolean
  past: OpenPast
}

/** To a worker itself, from another or from a gateway. It may be lost, and may come twice. */
export type WorkerNote =
  | { type: 'moveIn'; from: string; moving: MovingSession }
  /** Answers it. */
  | ({ type: 'movedIn'; isHere: boolean } & Pick<MovingSession, 'sessionId' | 'token'>)
  /** Give every session to others, and take no new ones. */
  | { type: 'drain' }
  /** Give sessions to emptier workers, until no one more would make the load more even. */
  | { type: 'rebalance' }

/** What a gateway tells beside the frames; it rides with the next one. */
export interface Aside {
  /** The client has every outcome through this one; null: nothing new. */
  acked: number | null
  /** Frames that got their outcome here, all before the frame that this rides with. Their client is told here, too. */
  settled: readonly DepthlessOutcome[]
}

/** Worker to gateway. A session's events arrive in the order they were emitted, each once. */
export type WorkerEvent =
  | { type: 'opened'; opened: OpenedSession }
  /** Of `adopt` as well. */
  | { type: 'openFailed'; code: ErrorCode; detail: string; retryAfterMs: number | null }
  /** Answers `adopt`. What is to be told again follows. */
  | { type: 'adopted'; opened: OpenedSession; options: SessionOptions; offer: ModelOffer; resumed: Resumed }
  /** Another has taken the session; nothing follows under this token. */
  | { type: 'taken' }
  /** It goes on there, under that token; nothing follows under this one. */
  | ({ type: 'moved' } & Moved)
  /** The session's memory is free; nothing follows. */
  | { type: 'closed' }
  | SessionEvent

export interface PlacedSession extends SessionKey {
  workerId: string
}

/** Which session on which worker, by which right. */
export interface Route {
  sessionId: string
  workerId: string
  /** Fencing token; travels with every message. */
  token: number
}

export interface GatewayLink {
  /**
   * Start to receive a session's events. `onFailure` is called at most once, when the link can no longer promise that
   * every message arrives; nothing follows it. Neither callback may throw.
   */
  attach(
    route: Route,
    onEvent: (event: WorkerEvent) => void,
    onFailure: (error: LeadlineError) => void
  ): SessionLink
  /** Remove what the link keeps for workers that are gone and for the sessions they held. */
  forget(workerIds: readonly string[], sessions: readonly PlacedSession[]): Promise<void>
  /** Throws STORE_UNAVAILABLE. */
  tell(workerId: string, note: WorkerNote): Promise<void>
  /** Let go of what is held here for any other worker; it is had again when it is needed. */
  keepOnly(workerIds: ReadonlySet<string>): Promise<void>
  close(): Promise<void>
}

export interface SessionLink {
  /** Never throws: what cannot be sent ends in `onFailure`. */
  send(command: SessionCommand): void
  /** Whether what is sent now leaves at once, and not behind much that is on its way already. */
  readonly hasRoom: boolean
  /** No more events; whatever is on its way is forgotten. Twice does no harm. */
  detach(): void
}

export type CommandHandler = (sessionId: string, token: number, command: SessionCommand) => void
export type NoteHandler = (note: WorkerNote) => void

export interface WorkerLink {
  /** Receive the commands of every session that is routed to this worker, and what it is told itself. Neither handler may throw. */
  listen(workerId: string, onCommand: CommandHandler, onNote: NoteHandler): Promise<void>
  /** Throws STORE_UNAVAILABLE. */
  tell(workerId: string, note: WorkerNote): Promise<void>
  emit(sessionId: string, token: number, event: WorkerEvent): void
  /** Nobody hears what is emitted under this token: forget it. */
  hush(sessionId: string, token: number): void
  /** The session is over on this worker: forget what the link keeps for it. */
  release(sessionId: string): void
  /** Resolves when everything emitted is on its way. What is still to be said to gateways is tried until `untilMs`. */
  close(untilMs?: number): Promise<void>
}
