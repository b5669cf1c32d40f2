import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { sessionStoreSuite } from './session-store.suite.ts'

sessionStoreSuite('the memory', async (times) => new MemorySessionStore(times))
