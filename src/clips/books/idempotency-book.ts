/** What a request came to. */
export interface Recorded {
  /** Id of the clip or upload. */
  clip: string
  /** SHA-256 of everything that it asked for and sent, as hex. */
  fingerprint: string
}

/** Nobody had it, and now the caller has; somebody has it just now; or it has been used. */
export type Beginning = 'begun' | 'pending' | Recorded

/** How long it is known what a request came to. */
export const recordedMs = 86_400_000

/**
 * Which requests were made before, by a name that their clients chose. A name is held while its request is on its way, for
 * `holdMs` at a time. Throws STORE_UNAVAILABLE.
 */
export interface IdempotencyBook {
  begin(name: string, holdMs: number): Promise<Beginning>
  /** Hold a name that was begun for longer. */
  hold(name: string, holdMs: number): Promise<void>
  /** For `recordedMs`. */
  record(name: string, recorded: Recorded): Promise<void>
  /** The request came to nothing, and may be made again. */
  forget(name: string): Promise<void>
}
