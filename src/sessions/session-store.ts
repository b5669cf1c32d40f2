import type { EnginePace } from '../metering/engine-pace.ts'
import type { EngineOffer, Mode, ModelOffer, OpenedSession, SessionOptions } from '../session.ts'
import type { SessionState } from './session-states.ts'

/**
 * Who serves whom. Every change that two processes could race for is atomic, and bytes are never overcommitted:
 * the sum of what is reserved for a worker's sessions is its `reservedBytes`, and that is at most its `capacityBytes`.
 * One conformance suite runs on every form (test/contract/session-store.suite.ts). Methods throw STORE_UNAVAILABLE.
 */
export interface SessionStore {
  /** Put up a worker's row. "taken": another live process has this id. Sessions of the instance it replaces are lost. */
  registerWorker(worker: WorkerRegistration): Promise<'registered' | 'taken'>
  /**
   * Prolong the row by the worker's TTL; one that ran out is put up again as long as nobody has reaped it. "lost": it was
   * reaped or belongs to another instance; nothing was changed. Possible also where the store is full.
   */
  renewWorker(worker: WorkerOffer): Promise<'renewed' | 'lost'>
  /** Take the row down; sessions it still holds are lost. Another instance's row stays. */
  removeWorker(id: string, instance: string): Promise<void>
  /** Rows of the live workers, by id, and the ids of those whose row ran out and was not reaped yet. */
  workers(): Promise<Workers>
  /** Mark the sessions of those of these workers whose row ran out as lost. Each loss is told to one caller only. */
  reapWorkers(ids: readonly string[]): Promise<LostWorkers>

  /**
   * Say that a gateway lives; it must be said again within the gateway's TTL. "anew": the store did not know, so that it may
   * have forgotten more. Possible also where the store is full.
   */
  renewGateway(id: string): Promise<'renewed' | 'anew'>
  removeGateway(id: string): Promise<void>
  /** The sessions of a worker, whose rows are prolonged and counted anew, and who holds them. */
  keepSessions(workerId: string): Promise<KeptSession[]>
  /** Those of these sessions that are not their caller's any more, and why. */
  lostSessions(sessions: readonly SessionKey[]): Promise<LostSession[]>
  /** Rows in the order of their ids. */
  listSessions(wish: ListWish): Promise<SessionPage>
  session(id: string): Promise<SessionRow | null>

  /**
   * Reserve bytes on the worker and create the row with its first fencing token; the gateway counts as alive from then
   * on. Nothing happens unless "opened".
   */
  openSession(session: SessionReservation): Promise<OpenOutcome>
  /** What the engine settled on; the reservation becomes `bytes`. "full": it would not fit, nothing was changed. */
  settleSession(id: string, token: number, settled: Settlement): Promise<ChangeOutcome | 'full'>
  touchSession(id: string, token: number, progress: Progress): Promise<ChangeOutcome>
  /**
   * It ends. Its worker closes it, and nobody can take it meanwhile; a lost one, which has no worker, is closed here,
   * and cannot be restored. Possible also where the store is full.
   */
  leaveSession(id: string, token: number): Promise<ChangeOutcome>
  /** Remove the row and free its bytes, once: "unknown" when it is gone already, or lost. */
  closeSession(id: string, token: number): Promise<ChangeOutcome>

  /**
   * Make this gateway the session's, with a new fencing token. The hash that was presented counts on until the new one is
   * confirmed. A move that is under way is off. "unknown" says nothing about why.
   */
  takeSession(wish: TakeWish): Promise<TakeOutcome>
  /** Something came under the new resume token: the one before counts no more. */
  confirmSession(id: string, token: number): Promise<ChangeOutcome>
  /** No gateway holds it any more: its grace begins. */
  detachSession(id: string, token: number): Promise<ChangeOutcome>
  /**
   * Put a session whose worker is gone onto another, with a new fencing token; the gateway counts as alive from then on.
   * "barred": its worker lives.
   */
  replaceSession(wish: ReplaceWish): Promise<ReplaceOutcome>
  /** Its worker could not keep it: what it had reserved is free, and the session as if the worker were gone. */
  loseSession(id: string, token: number): Promise<ChangeOutcome>
  /** Reserve bytes on another worker as well. "barred": it is this session's own, or the session cannot move now. */
  beginMove(wish: MoveWish): Promise<ReserveOutcome>
  /**
   * The other worker becomes the session's, with a new fencing token and what its engine settled on; what the old one had
   * reserved is free. "full": it would not fit, nothing was changed.
   */
  commitMove(id: string, token: number, settled: Settlement): Promise<MoveOutcome>
  /** Afterwards the session is where it was, and only there. */
  abortMove(id: string, token: number): Promise<ChangeOutcome>
  /** It takes no device memory any more. */
  parkSession(id: string, token: number): Promise<ChangeOutcome>
  unparkSession(id: string, token: number, bytes: number): Promise<ReserveOutcome>
  /**
   * Write the row anew from what its worker holds, where the store has lost it, or has it as it was before, or as lost. Of
   * two claims the higher token wins, then the worker that has the state: "stale" to the other. The gateway has to claim it
   * too, by asking for it in `lostSessions`.
   */
  restoreSession(row: SessionRow): Promise<RestoreOutcome>
  /** The same of a lost one, from what a gateway knows of it. "stale": the store knows as much, or it was closed. */
  restoreLost(row: SessionRow): Promise<'restored' | 'stale'>

  close(): Promise<void>
}

/**
 * "stale": the token is not the row's; whoever holds it has lost the session. "unknown": there is no such session, or its
 * worker is gone. "barred": the state of the row allows no such change (session-states.ts). Nothing but "changed" changes.
 */
export type ChangeOutcome = 'changed' | 'stale' | 'unknown' | 'barred'
/** "full": the bytes do not fit. "workerGone": the worker is not there, is another instance or takes no more sessions. */
export type ReserveOutcome = ChangeOutcome | 'full' | 'workerGone'

export type OpenOutcome = { kind: 'opened'; token: number } | { kind: 'full' } | { kind: 'workerGone' }
export type TakeOutcome = { kind: 'taken'; row: SessionRow } | { kind: 'unknown' }
export type ReplaceOutcome = { kind: 'placed'; token: number } | { kind: Exclude<ReserveOutcome, 'changed'> }
export type RestoreOutcome = 'restored' | 'stale' | 'workerGone'
export type MoveOutcome = { kind: 'moved'; token: number } | { kind: Exclude<ReserveOutcome, 'changed'> }

export interface WorkerLease {
  id: string
  /** One life of a worker process; a restarted process is a new instance of the same id. */
  instance: string
  /** A draining worker takes no new sessions. */
  draining: boolean
}

export interface WorkerOffer extends WorkerLease {
  offer: EngineOffer
  /** Of what is reserved, as much as the worker could free by parking sessions. */
  parkableBytes: number
  moved: MovedSessions
  pace: EnginePace
}

/** What a worker has given to others in its life. */
export interface MovedSessions {
  sessions: number
  /** For how long one stood still at most, in milliseconds. */
  longestStallMs: number
}

export const noneMoved: MovedSessions = { sessions: 0, longestStallMs: 0 }

export interface WorkerRegistration extends WorkerOffer {
  /** The instance this process registered before, if it did; its row may be replaced while it still lives. */
  replaces: string | null
}

export interface WorkerRow extends WorkerOffer {
  reservedBytes: number
  sessions: number
}

export interface Workers {
  live: WorkerRow[]
  lapsed: string[]
  /** Until the first of the live rows runs out, where it is not renewed; Infinity where there is none. */
  nextLapseMs: number
}

export interface SessionKey {
  id: string
  token: number
}

export interface KeptSession extends SessionKey {
  /**
   * gone: its gateway's lease ran out, or it does not claim what was restored; left: it ends; detached: no gateway holds it,
   * and its grace lasts; expired: it is over. What is expired may still be taken until it is left.
   */
  gateway: 'alive' | 'gone' | 'left' | 'detached' | 'expired'
  /** Its bytes are reserved here for a move, and another worker serves it still. */
  isMovingIn: boolean
  state: SessionState
  /** Of the worker that serves it. */
  deviceBytes: number
  /** Is another one whenever the row is, but for `epoch`, `lastSeq` and times. */
  version: string
}

export interface LostSession {
  id: string
  /**
   * gone: it has no row; behind: the store has forgotten that it was given this token; lost: its worker is gone; stale:
   * somebody else holds it; detached: nobody does.
   */
  why: 'gone' | 'behind' | 'lost' | 'stale' | 'detached'
}

export interface ListWish {
  /** null: everybody's. */
  owner: string | null
  /** null: from the start. */
  cursor: string | null
  limit: number
}

export interface SessionPage {
  sessions: SessionRow[]
  /** Of the next page; null if this is the last. */
  cursor: string | null
}

export interface LostWorkers {
  workerIds: string[]
  sessions: SessionRow[]
}

export interface SessionReservation {
  id: string
  model: string
  modelDigest: string
  mode: Mode
  workerId: string
  workerInstance: string
  gatewayId: string
  /** Device memory that the session needs. */
  bytes: number
  /** SHA-256 of the resume token, hex. The token itself is never stored. */
  tokenHash: string
  /** The key that made it; null where there are no keys. */
  owner: string | null
  /** Whether it can be taken and replaced. */
  resumable: boolean
  /** How long it outlives its gateway. */
  graceMs: number
  /** The lower, the sooner it is parked. */
  priority: number
}

export interface SessionRow extends Omit<SessionReservation, 'gatewayId'> {
  state: SessionState
  /** null: nobody's. */
  gatewayId: string | null
  /** Counts as well as `tokenHash` until the session is confirmed; null if there is none. */
  previousTokenHash: string | null
  /** Fencing token: rises with every change of owner. */
  token: number
  epoch: number
  /** Highest seq that has an outcome, -1 before the first. */
  lastSeq: number
  /** Device memory that is reserved on its worker: `bytes`, or 0 where it is parked or lost. */
  deviceBytes: number
  /** null before it was open. */
  terms: SessionTerms | null
  /** Where it is moving to, and what is reserved there. */
  move: { workerId: string; workerInstance: string; bytes: number } | null
  createdAtMs: number
  touchedAtMs: number
  /** When the grace of a detached session ends, by the store's clock; null while a gateway holds it. */
  deadlineMs: number | null
}

export interface TakeWish {
  id: string
  /** Whose it must be; null: whoever's it is. */
  owner: string | null
  /** Of the resume token that was presented. */
  tokenHash: string
  /** Of the one that takes its place; never used before. */
  newTokenHash: string
  gatewayId: string
}

export interface MoveWish extends SessionKey {
  workerId: string
  workerInstance: string
  bytes: number
}

export interface ReplaceWish extends MoveWish {
  gatewayId: string
}

export interface Settlement {
  modelDigest: string
  epoch: number
  bytes: number
  terms: SessionTerms
}

/** What client and worker agreed on: by that any gateway can go on with a session whose worker is gone. */
export interface SessionTerms {
  options: SessionOptions
  opened: OpenedSession
  offer: ModelOffer
}

export type Progress = Pick<SessionRow, 'epoch' | 'lastSeq'>

/** Lives of rows in milliseconds. */
export interface StoreTimes {
  workerTtlMs: number
  gatewayTtlMs: number
  /** Of what must outlive the leases: how long it can be read after everybody who prolongs it has gone. */
  rowTtlMs: number
  /** How long the row of a lost session stays at least, or for its grace, after its gateway asked for it the last time. */
  lostTtlMs: number
  /** How long a gateway has to claim a session that was restored. */
  claimMs: number
}

/** How long Redis may be away: for so long sessions are kept, and what it has forgotten is written anew when it is back. */
export const outageMs = 60_000

export const storeTimes: StoreTimes = {
  ...{ workerTtlMs: 2750, gatewayTtlMs: 5000, rowTtlMs: 600_000, claimMs: 10_000 },
  lostTtlMs: outageMs
}
