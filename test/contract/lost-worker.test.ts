import { onTestFinished } from 'vitest'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { cuttableWorker } from '../helpers/cuttable.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { lostWorkerSuite } from './lost-worker.suite.ts'

lostWorkerSuite('in one process', async () => {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: 1500 })
  const link = new InProcessLink()
  let workers = 0
  return {
    startGateway: async (options) => {
      const gateway = new SessionGateway({ store, link, log: quietLog(), ...options })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return gateway
    },
    startWorker: async (engine) => {
      const { link: end, store: own, cut } = cuttableWorker(link, store)
      const worker = new SessionWorker({
        ...{ engine, log: quietLog(), workerId: `w${++workers}`, store: own, link: end }
      })
      await worker.start()
      onTestFinished(() => worker.close())
      return { kill: cut }
    }
  }
})
