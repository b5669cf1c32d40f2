import { EngineSession } from './engine-session.ts'
import type { ReadySlice } from '../offline/taken-slice.ts'
import type { WindowSession } from '../offline/window-session.ts'
import type { Candidate } from '../scheduling/scheduler.ts'
import type { ReadyFrame, Residence } from './stepping-frame.ts'

/** Streams frame by frame, or windows slice by slice. */
export type SteppedSession = EngineSession | WindowSession

/** A session whose frame can enter the next step. */
export interface FrameRow extends Candidate {
  kind: 'frame'
  session: EngineSession
  front: ReadyFrame
  residence: Residence
}

/** A session whose slice can be the next step. */
export interface SliceRow extends Candidate {
  kind: 'slice'
  session: WindowSession
  front: ReadySlice
  residence: Residence
}

export type Runnable = FrameRow | SliceRow

/** The kind of row that a session can give now, or null. */
export function readyRow(
  session: SteppedSession
): Pick<FrameRow, 'kind' | 'session' | 'front'> | Pick<SliceRow, 'kind' | 'session' | 'front'> | null {
  if (session instanceof EngineSession) {
    const front = session.front()
    return front && { kind: 'frame', session, front }
  }
  const front = session.front()
  return front && { kind: 'slice', session, front }
}
