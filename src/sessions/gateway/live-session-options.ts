import type { ErrorCode } from '../../errors.ts'
import type { Account } from '../../metering/measures.ts'
import type { SessionEvent } from '../../session.ts'
import type { GatewayLink, Route } from '../link.ts'
import type { Log } from '../log.ts'
import type { Provisions } from './past/lifeline.ts'
import type { SessionPast } from './past/session-past.ts'
import type { SessionWish } from '../placement.ts'

/**
 * settled: its worker has said that it is over. left: it is over, and the worker may not know. detached: it is kept for
 * whoever comes back. replaced: somebody else has it.
 */
export type Parting = 'settled' | 'left' | 'detached' | 'replaced'

export interface LiveSessionOptions {
  link: GatewayLink
  route: Route
  /** Whether it outlives this gateway. */
  isResumable: boolean
  account: Account
  provisions: Provisions
  log: Log
  onEvent: (event: SessionEvent) => void
  /** The client has shown that it was given the session that it resumed. Called once at most. */
  onConfirmed: () => void
  /** A worker has it: opened it, had it adopted, or was given it by the one before. */
  onServed: () => void
  /** Its worker is gone: another has to be found, for `goOn`. */
  onLost: (sought: SessionWish) => void
  /** The session is over here, with what is kept of its past, which must be left or forgotten. Called once. */
  onOver: (parting: Parting, past: SessionPast | null) => void
}

export interface Failure {
  code: ErrorCode
  detail: string
  parting: Parting
}
