import { createHash, randomBytes } from 'node:crypto'

/** How long a ticket may take from its making to its use, in milliseconds. */
export const ticketMs = 30_000

/** Opens one stream, once, in place of its key. */
export interface Ticket {
  keyId: string
}

/** 256 random bits, base64url. */
export function newTicketValue(): string {
  return randomBytes(32).toString('base64url')
}

/** What may be stored of a ticket's value: its SHA-256, hex. */
export function hashTicket(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}
