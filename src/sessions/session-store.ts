import type { EngineOffer } from '../session.ts'

/**
 * Who serves whom. Every change that two processes could race for is atomic, and bytes are never overcommitted:
 * the sum of the bytes of a worker's sessions is its `reservedBytes`, and that is at most its `capacityBytes`.
 * One conformance suite runs on every form (test/contract/session-store.suite.ts). Methods throw STORE_UNAVAILABLE.
 */
export interface SessionStore {
  /** Put up a worker's row. "taken": another live process has this id. Sessions of the instance it replaces are lost. */
  registerWorker(worker: WorkerRegistration): Promise<'registered' | 'taken'>
  /** Prolong the row by the worker's TTL. "lost": it ran out or belongs to another instance; nothing was changed. */
  renewWorker(worker: WorkerLease): Promise<'renewed' | 'lost'>
  /** Take the row down; sessions it still holds are lost. Another instance's row stays. */
  removeWorker(id: string, instance: string): Promise<void>
  /** Rows of the live workers, by id. */
  workers(): Promise<WorkerRow[]>
  /** Mark the sessions of workers whose row ran out as lost. Each loss is told to one caller only. */
  reapWorkers(): Promise<LostWorkers>

  /** Say that a gateway lives; it must be said again within the gateway's TTL. */
  renewGateway(id: string): Promise<void>
  removeGateway(id: string): Promise<void>
  /** Sessions of a worker whose gateway is gone, so that nobody will ever close them. */
  orphans(workerId: string): Promise<SessionRow[]>

  /** Reserve bytes on the worker and create the row with its first fencing token. Nothing happens unless "opened". */
  openSession(session: SessionReservation): Promise<OpenOutcome>
  /** What the engine settled on; the reservation becomes `bytes`. "full": it would not fit, nothing was changed. */
  settleSession(id: string, token: number, settled: Settlement): Promise<ChangeOutcome | 'full'>
  touchSession(id: string, token: number, progress: Progress): Promise<ChangeOutcome>
  /** Remove the row and free its bytes, once: "unknown" when it is gone already. */
  closeSession(id: string, token: number): Promise<ChangeOutcome>
  session(id: string): Promise<SessionRow | null>

  close(): Promise<void>
}

/** "stale": the token is not the row's; whoever holds it has lost the session. */
export type ChangeOutcome = 'changed' | 'stale' | 'unknown'

export type OpenOutcome = { kind: 'opened'; token: number } | { kind: 'full' } | { kind: 'workerGone' }

export interface WorkerLease {
  id: string
  /** One life of a worker process; a restarted process is a new instance of the same id. */
  instance: string
  /** A draining worker takes no new sessions. */
  draining: boolean
}

export interface WorkerRegistration extends WorkerLease {
  offer: EngineOffer
  /** The instance this process registered before, if it did; its row may be replaced while it still lives. */
  replaces: string | null
}

export interface WorkerRow extends WorkerLease {
  offer: EngineOffer
  reservedBytes: number
  sessions: number
}

export interface LostWorkers {
  workerIds: string[]
  sessions: SessionRow[]
}

export interface SessionReservation {
  id: string
  model: string
  modelDigest: string
  workerId: string
  workerInstance: string
  gatewayId: string
  /** Device memory to reserve. */
  bytes: number
  /** SHA-256 of the resume token, hex. The token itself is never stored. */
  resumeTokenHash: string
}

export interface SessionRow extends SessionReservation {
  state: 'opening' | 'open' | 'lost'
  /** Fencing token: rises with every change of owner. */
  token: number
  epoch: number
  /** Highest seq that has an outcome, -1 before the first. */
  lastSeq: number
  createdAtMs: number
  touchedAtMs: number
}

export interface Settlement {
  modelDigest: string
  epoch: number
  bytes: number
}

export interface Progress {
  epoch: number
  lastSeq: number
}

/** Lives of rows in milliseconds. A lease is renewed three times within its life. */
export interface StoreTimes {
  workerTtlMs: number
  gatewayTtlMs: number
  /** How long the row of a lost session can still be read. */
  lostTtlMs: number
}

export const storeTimes: StoreTimes = { workerTtlMs: 3000, gatewayTtlMs: 5000, lostTtlMs: 600_000 }
