import type { Ticket } from './ticket.ts'

/**
 * Where tickets lie until they are used. One contract suite runs on every form (test/contract/ticket-store.suite.ts).
 * Methods throw STORE_UNAVAILABLE.
 */
export interface TicketStore {
  /** `hash` was never there. It lives for `ttlMs`. */
  put(hash: string, ticket: Ticket, ttlMs: number): Promise<void>
  /** To one caller only; null: it is not there, or no more. */
  take(hash: string): Promise<Ticket | null>
}
