import type { Plan, SliceRow } from '../executor.ts'

/** A slice but for the state and the frame. */
export type Slice = Pick<SliceRow, 'stage' | 'slot' | 'places'>

/** A slice that can be run now. */
export interface ReadySlice {
  plan: Plan
  planKey: string
  /** Once, and at once. */
  take: () => TakenSlice
}

/** A slice in its run. */
export interface TakenSlice extends Slice {
  /** In the window. */
  place: number
  frame: Uint8Array | null
  /** It ran before, and its depth is known: it makes anew what was lost. */
  isReplayed: boolean
}
