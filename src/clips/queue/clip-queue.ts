/** What becomes of a clip after its turn: nothing more, or another turn after a while. */
export type TurnEnd = 'over' | { againInMs: number }

/** A clip's turn, as it is given to whoever runs it. */
export interface ClipTurn {
  id: string
  /** Aborts when the turn is taken back. */
  signal: AbortSignal
  /** For people who look at the queue. */
  tell(progress: { frames: number; frameCount: number | null }): void
}

/** Must not reject. */
export type RunTurn = (turn: ClipTurn) => Promise<TurnEnd>

/**
 * Whose turn it is: fair between owners, in order of one owner's clips. A turn that ended with its process comes again,
 * perhaps while somebody still runs the clip: the book says who has it. Throws STORE_UNAVAILABLE.
 */
export interface ClipQueue {
  /** Twice without harm. */
  add(id: string, owner: string | null): Promise<void>
  /** How many wait. */
  waiting(): Promise<number>
  /** By state; failed: never, since clips that fail have ended. */
  counts(): Promise<{ waiting: number; active: number; delayed: number }>
  /** Take turns, one at a time. Called once. */
  serve(run: RunTurn): void
  /** Forget a clip that waits, or take its turn back; resolves when nothing here works on it any more. */
  cancel(id: string): Promise<void>
  /** Take the turn back that is served here, and serve none. What waits is kept where it can be. */
  close(): Promise<void>
}
