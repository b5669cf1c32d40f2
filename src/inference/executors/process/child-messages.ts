import type { ErrorCode } from '../../../errors.ts'
import type { Executor, ExecutorCaps, ModelHandle, Operation, SliceRow, StepRow } from '../../executor.ts'
import type { TransportedRow } from './frame-transport.ts'

/** The messages between a supervisor and the executor process behind it. Bytes travel as typed arrays. */

/** Frames and depth take a way of their own; `step` and `slice` answer with a TransportedResult a row. */
interface TransportArgs {
  step: [ModelHandle, readonly SentStepRow[]]
  slice: [ModelHandle, SentSliceRow]
}
export type SentStepRow = Omit<StepRow, 'frame' | 'into'> & TransportedRow
export type SentSliceRow = Omit<SliceRow, 'frame'> & TransportedRow

export type Request = {
  [O in Operation]: {
    id: number
    operation: O
    /** A load that those after it need not wait for. */
    isBeside: boolean
    args: O extends keyof TransportArgs ? TransportArgs[O] : Parameters<Executor[O]>
  }
}[Operation]

export type Reply =
  | { type: 'ready'; caps: ExecutorCaps }
  | (Answer & { id: number; /** processor time of the whole process meanwhile, in ms */ cpuMs: number })

export type Answer = { type: 'done'; value: unknown } | { type: 'failed'; code: ErrorCode; detail: string }
