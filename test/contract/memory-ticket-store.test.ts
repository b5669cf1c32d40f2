import { MemoryTicketStore } from '../../src/access/memory/memory-ticket-store.ts'
import { ticketStoreSuite } from './ticket-store.suite.ts'

ticketStoreSuite('the memory', async () => {
  let nowMs = 0
  const store = new MemoryTicketStore(() => nowMs)
  return { stores: [store, store], pass: async (ms) => void (nowMs += ms) }
})
