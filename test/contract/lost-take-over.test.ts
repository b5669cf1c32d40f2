import { onTestFinished } from 'vitest'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { cuttable, cuttableWorker } from '../helpers/cuttable.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { lostTakeOverSuite } from './lost-take-over.suite.ts'

lostTakeOverSuite('in one process', async () => {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: 1500, gatewayTtlMs: 1500 })
  const shared = new InProcessLink()
  const log = quietLog()
  let workers = 0
  return {
    store,
    startGateway: async (options) => {
      const { link, store: ownStore, cut } = cuttable(shared, store)
      const gateway = new SessionGateway({ store: ownStore, link, log, ...options })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return Object.assign(gateway, { kill: cut })
    },
    startWorker: async (engine) => {
      const { link, store: ownStore, cut } = cuttableWorker(shared, store)
      const worker = new SessionWorker({ store: ownStore, link, engine, log, workerId: `w${++workers}` })
      await worker.start()
      onTestFinished(() => worker.close())
      return { kill: cut, close: () => worker.close() }
    }
  }
})
