import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { sessionOwnersSuite } from './session-owners.suite.ts'
import { sessionStoreSuite } from './session-store.suite.ts'
import type { MakeStore } from './session-store.suite.ts'
import { sessionWalkSuite } from './session-walk.suite.ts'

const makeStore: MakeStore = async (times) => new MemorySessionStore(times)

sessionStoreSuite('the memory', makeStore)
sessionOwnersSuite('the memory', makeStore)

sessionWalkSuite('the memory', async () => {
  let nowMs = 0
  const store = new MemorySessionStore(
    { ...storeTimes, gatewayTtlMs: Infinity, claimMs: Infinity },
    () => nowMs
  )
  return {
    store,
    lapse: async (workerId) => {
      const { live } = await store.workers()
      nowMs += storeTimes.workerTtlMs
      for (const worker of live) if (worker.id !== workerId) await store.renewWorker(worker)
    }
  }
})
