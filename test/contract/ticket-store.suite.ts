import { describe, expect, test } from 'vitest'
import type { TicketStore } from '../../src/access/ticket-store.ts'
import { hashTicket, newTicketValue, ticketMs } from '../../src/access/ticket.ts'

export interface TicketOffice {
  /** Several on the same tickets; the same one twice where there is but one. */
  stores: readonly [TicketStore, TicketStore]
  /** Let so much time go by. */
  pass(ms: number): Promise<void>
}

const keyId = '0123456789abcdef'

/** What every place for tickets does. */
export function ticketStoreSuite(name: string, makeOffice: () => Promise<TicketOffice>): void {
  describe(`${name} ticket store`, () => {
    test('a ticket is taken once, wherever it was made, by one of all who show it', async () => {
      const [ours, theirs] = (await makeOffice()).stores
      const [hash, other] = [hashTicket(newTicketValue()), hashTicket(newTicketValue())]
      await ours.put(hash, { keyId }, ticketMs)
      expect(await theirs.take(other)).toBeNull()
      const taken = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? ours : theirs).take(hash))
      )
      expect(taken.filter((ticket) => ticket !== null)).toEqual([{ keyId }])
      expect(await theirs.take(hash)).toBeNull()
    })

    test('a ticket whose time is over is none', async () => {
      const { stores, pass } = await makeOffice()
      const hashes = [100, ticketMs].map(() => hashTicket(newTicketValue()))
      await stores[0].put(hashes[0]!, { keyId }, 100)
      await stores[0].put(hashes[1]!, { keyId }, ticketMs)
      await pass(100)
      expect(await stores[1].take(hashes[0]!)).toBeNull()
      expect(await stores[1].take(hashes[1]!)).toEqual({ keyId })
    })
  })
}
