import type { LeadlineError } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import type { ServiceClass, Tenant } from '../../metering/measures.ts'
import type { StreamPosition } from '../../session.ts'
import type { Probation } from '../recovery/probation.ts'
import type { Rhythm } from '../scheduling/batch-wait.ts'
import type { Candidate } from '../scheduling/scheduler.ts'
import type { EngineSession } from './engine-session.ts'
import type { ReadyFrame, StateLocation } from './stepping-frame.ts'
import type { ReadySlice, TakenSlice } from './taken-slice.ts'

/** A session that runs window by window, in slices. */
export interface SlicedSession {
  readonly kind: 'slice'
  readonly id: string
  readonly tenant: Tenant
  readonly service: ServiceClass
  /** Where its state lies; the engine moves it. */
  location: StateLocation | null
  /** Set while the engine runs a slice or moves the state. */
  occupied: Promise<void> | null
  /** The turn at which it was last served; 0 before that. */
  waitingSince: number
  readonly probation: Probation
  /** Its slices wait for no company. */
  readonly rhythm: Rhythm | null
  readonly position: StreamPosition
  submit(frame: ValidFrame): void
  flush(id: string): void
  reset(): void
  /** The slice that could be run now, or null. */
  front(): ReadySlice | null
  finish(slice: TakenSlice, depth: Float32Array | null, computeMs: number): void
  /** A slice was cut off by a loss: it runs again. */
  takeBack(slice: TakenSlice): void
  /** The executor is gone. False when what it held cannot be made anew. */
  lose(): boolean
  /** Every frame without an outcome fails, then the session itself. */
  fail(failure: LeadlineError): void
  /** Every frame without an outcome is dropped with reason "closed". */
  end(): void
}

/** Streams frame by frame, or windows slice by slice. */
export type SteppedSession = EngineSession | SlicedSession

/** A session whose frame can enter the next step. */
export interface FrameRow extends Candidate {
  kind: 'frame'
  session: EngineSession
  front: ReadyFrame
  location: StateLocation
}

/** A session whose slice can be the next step. */
export interface SliceRow extends Candidate {
  kind: 'slice'
  session: SlicedSession
  front: ReadySlice
  location: StateLocation
}

export type Runnable = FrameRow | SliceRow

/** The kind of row that a session can give now, or null. */
export function readyRow(
  session: SteppedSession
): Pick<FrameRow, 'kind' | 'session' | 'front'> | Pick<SliceRow, 'kind' | 'session' | 'front'> | null {
  if (session.kind === 'frame') {
    const front = session.front()
    return front && { kind: 'frame', session, front }
  }
  const front = session.front()
  return front && { kind: 'slice', session, front }
}
