import type { Meter } from '../../metering/measures.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import type { WorkerLink } from '../link.ts'
import type { Log } from '../log.ts'
import type { SessionStore } from '../session-store.ts'
import type { KeptBytes } from './kept-outcomes.ts'
import type { ParkingLot } from './parking/parking-lot.ts'

export interface ServedSessionOptions {
  sessionId: string
  workerId: string
  token: number
  engine: FrameEngine
  link: WorkerLink
  store: SessionStore
  log: Log
  keptBytes: KeptBytes
  usage?: Meter
  lot: ParkingLot
  /** The session is over here and its memory free; called once. */
  onOver: () => void
}
