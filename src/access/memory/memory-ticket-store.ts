import type { TicketStore } from '../ticket-store.ts'
import type { Ticket } from '../ticket.ts'

/** Tickets of one process. */
export class MemoryTicketStore implements TicketStore {
  readonly #now: () => number
  /** In the order of their making, which is that of their end. */
  readonly #tickets = new Map<string, { ticket: Ticket; endsAtMs: number }>()

  /** `now` gives milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  async put(hash: string, ticket: Ticket, ttlMs: number): Promise<void> {
    for (const [old, { endsAtMs }] of this.#tickets) {
      if (endsAtMs > this.#now()) break
      this.#tickets.delete(old)
    }
    this.#tickets.set(hash, { ticket, endsAtMs: this.#now() + ttlMs })
  }

  async take(hash: string): Promise<Ticket | null> {
    const held = this.#tickets.get(hash)
    this.#tickets.delete(hash)
    return held !== undefined && this.#now() < held.endsAtMs ? held.ticket : null
  }
}
