import type { EngineOffer } from '../session.ts'

/**
 * Who serves whom. Every change that two processes could race for is atomic, and bytes are never overcommitted:
 * the sum of the bytes of a worker's sessions is its `reservedBytes`, and that is at most its `capacityBytes`.
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

  /** Say that a gateway lives; it must be said again within the gateway's TTL. Possible also where the store is full. */
  renewGateway(id: string): Promise<void>
  removeGateway(id: string): Promise<void>
  /** The sessions of a worker, whose rows are prolonged and counted anew, and how their gateways stand to them. */
  keepSessions(workerId: string): Promise<KeptSession[]>
  /** Note that the gateway has left the session, for its worker to close it. Possible also where the store is full. */
  leaveSession(id: string, token: number): Promise<ChangeOutcome>
  /** Which of these sessions have no row any more under their token. */
  lostSessions(sessions: readonly SessionKey[]): Promise<string[]>

  /**
   * Reserve bytes on the worker and create the row with its first fencing token; the gateway counts as alive from then
   * on. Nothing happens unless "opened".
   */
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

export interface WorkerOffer extends WorkerLease {
  offer: EngineOffer
}

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
}

export interface SessionKey {
  id: string
  token: number
}

export interface KeptSession extends SessionKey {
  /** gone: its lease ran out, so that nobody will ever close the session; left: it said so of this session. */
  gateway: 'alive' | 'gone' | 'left'
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

/** Lives of rows in milliseconds. */
export interface StoreTimes {
  workerTtlMs: number
  gatewayTtlMs: number
  /** Of what must outlive the leases: how long it can be read after everybody who prolongs it has gone. */
  rowTtlMs: number
}

export const storeTimes: StoreTimes = { workerTtlMs: 3000, gatewayTtlMs: 5000, rowTtlMs: 600_000 }
/** How often a lease is renewed. */
export const heartbeatMs = 500
/** Beats without success after which gateways and workers give their sessions up. */
export const patienceBeats = 7
/** The same as time: a little less than a gateway's TTL. Whatever is sent is tried for as long. */
export const patienceMs = heartbeatMs * (patienceBeats + 1)
