/** What a receiver is to be told. */
export interface Delivery {
  /** The same over all tries, and of nothing else: `webhook-id`, by which receivers know what they have had. */
  id: string
  /** Whose secrets sign it: the id of a key; null: those of callers without one. */
  owner: string | null
  url: string
  type: string
  /** When it happened, ISO 8601. */
  timestamp: string
  data: object
}

/** What came of one try. isFinal: another would end no better. */
export type TryEnd = { kind: 'delivered' } | { kind: 'failed'; reason: string; isFinal: boolean }

/** A delivery that was given up. */
export interface DeadLetter {
  delivery: Delivery
  tries: number
  reason: string
  failedAtMs: number
}
