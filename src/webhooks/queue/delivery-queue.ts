import type { DeadLetter, Delivery, TryEnd } from '../delivery.ts'

export interface DeliveryWork {
  /** One try; aborted, it counts for nothing. Never rejects. */
  attempt: (delivery: Delivery, signal: AbortSignal) => Promise<TryEnd>
  /** It was given up. */
  onDead: (letter: DeadLetter) => void
}

/**
 * Deliveries on their way, and those that were given up, which are kept up to `maxDeadLetters`. Throws STORE_UNAVAILABLE; the
 * same can then be asked again.
 */
export interface DeliveryQueue {
  /**
   * Queued once for as long as it is there under its id. `onSafe` is called when it need not be added again, whatever becomes
   * of this process: at once, where the queue outlives it, otherwise when it was delivered or given up.
   */
  add(delivery: Delivery, onSafe: () => Promise<void>): Promise<void>
  serve(work: DeliveryWork): void
  /** By state; failed: given up. */
  counts(): Promise<Record<'waiting' | 'active' | 'delayed' | 'failed', number>>
  /** The last first. `owner` null: everybody's. */
  deadLetters(owner: string | null): Promise<DeadLetter[]>
  /** All tries again. False: no such dead letter of this owner is there. */
  resend(id: string, owner: string | null): Promise<boolean>
  /** Tries that run are broken off. Twice without harm. */
  close(): Promise<void>
}

export const maxDeadLetters = 1000
/** How many tries run at once: a slow receiver must not keep up the others. */
export const maxTries = 16

export interface QueueOptions {
  /** Between a try and the next: one less than there are tries. */
  delaysMs: readonly number[]
  /** In [0, 1). */
  random: () => number
}
