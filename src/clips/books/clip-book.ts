import type { Clip, ClipState } from '../clip.ts'

/** A clip, and what is told to nobody. */
export interface ClipRow {
  clip: Clip
  /** Id of the key it came with; null: none. */
  owner: string | null
  /** Id of the storage that has its files. */
  storage: string
}

/** What a runner finds. */
export type Claim =
  | { kind: 'taken'; row: ClipRow }
  /** Another run has it, or had it until a moment ago. */
  | { kind: 'held' }
  /** There is nothing to run; null: there is no such clip. */
  | { kind: 'over'; row: ClipRow | null }

/** What became of a word of a run. lost: another run has the clip, or it was ended from outside; unknown: it is not in the book. */
export type Standing = 'kept' | 'lost' | 'unknown'

export interface ClipListWish {
  /** Whose; null: everybody's. */
  owner: string | null
  /** Empty: all. */
  states: readonly ClipState[]
  limit: number
  /** As the page before gave it; null: the first page. */
  cursor: string | null
}

export interface ClipPage {
  /** Newest first. */
  rows: ClipRow[]
  /** null: there are no more. */
  cursor: string | null
}

/**
 * Which clips there are, how each stands, and which run has it. A run is named by whoever starts it, and what it says counts
 * only as long as the clip is its own; times are those of the book's own clock. Everything throws STORE_UNAVAILABLE, and can
 * then be sent again.
 */
export interface ClipBook {
  /** False: it is there already, and stays as it is. */
  put(row: ClipRow): Promise<boolean>
  get(id: string): Promise<ClipRow | null>
  list(wish: ClipListWish): Promise<ClipPage>
  /** Take a clip for a run, which has it for `holdMs`. Claimed again by the same run, it is that run's. */
  claim(id: string, run: string, holdMs: number): Promise<Claim>
  /** How far a run is; it has the clip for `holdMs` more. 0: no longer. */
  keep(id: string, run: string, progress: { frames: number; holdMs: number }): Promise<Standing>
  /** The end of a run: `clip` in an ended state. */
  settle(id: string, run: string, clip: Clip): Promise<Standing>
  /** Only one that has not ended; whoever runs it loses it. Null: there is none such. */
  cancel(id: string, endedAt: string): Promise<ClipRow | null>
  /** Twice without harm. */
  remove(id: string): Promise<void>
  /** Whether the book still has what was put into it; one that lies in Redis may have forgotten. */
  isKnown(storage: string): Promise<boolean>
  /** Everything that the storage has is in the book. */
  know(storage: string): Promise<void>
  close(): Promise<void>
}

const ended: ReadonlySet<ClipState> = new Set(['done', 'failed', 'cancelled'])

export function hasEnded({ state }: Pick<Clip, 'state'>): boolean {
  return ended.has(state)
}

/** Sorts by time, and says where a page ends. */
export function placeOf({ createdAt, id }: Pick<Clip, 'createdAt' | 'id'>): string {
  return `${createdAt}_${id}`
}
