import type { ErrorCode } from '../errors.ts'
import type { ValidFrame } from '../frame.ts'
import type { ModelOffer, OpenedSession, SessionEvent, SessionOptions } from '../session.ts'

/** The gateway's side of the sessions room: what the API may ask. */
export interface Sessions {
  /**
   * Place a session on a worker and open it there. Events come in seq order through `onEvent`, which must not throw.
   * Throws NO_WORKER, NO_CAPACITY, MODEL_UNKNOWN, MODEL_MODE_UNSUPPORTED, STORE_UNAVAILABLE, DRAINING, EXECUTOR_FAILED.
   */
  open(options: SessionOptions, onEvent: (event: SessionEvent) => void): Promise<SessionHandle>
  /** Every model that some live worker offers, by name. */
  models(): Promise<ModelOffer[]>
  /** Whether a session could be opened now, and if not, why. */
  readiness(model?: string): Promise<Readiness>
  close(): Promise<void>
}

export interface SessionHandle {
  readonly id: string
  /** Secret of the session's owner. */
  readonly resumeToken: string
  readonly opened: OpenedSession
  /** The model that the session runs, as its worker offers it. */
  readonly offer: ModelOffer
  submit(frame: ValidFrame): void
  /** Whether a frame that is submitted now leaves for the worker at once. It may be submitted without; then it queues. */
  readonly hasRoom: boolean
  /** A `flushed` event with this id follows the outcome of every frame submitted before. */
  flush(id: string): void
  reset(): void
  /** Frees the slot; frames without outcome are dropped with reason "closed" before this resolves. */
  close(): Promise<void>
}

/** `code` is DRAINING, NO_WORKER or STORE_UNAVAILABLE. */
export type Readiness = { ready: true } | { ready: false; code: ErrorCode; reason: string }
