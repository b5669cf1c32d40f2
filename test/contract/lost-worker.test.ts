import { onTestFinished } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
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
      let isDead = false
      const workerId = `w${++workers}`
      const end = link.workerLink()
      const worker = new SessionWorker({
        ...{ engine, log: quietLog(), workerId },
        store: unless(() => isDead, store),
        link: { ...end, emit: (...args) => isDead || end.emit(...args) }
      })
      await worker.start()
      onTestFinished(() => worker.close())
      return {
        kill: () => {
          isDead = true
          void end.close()
        }
      }
    }
  }
})

/** The store as a process has it, until it can reach it no more. */
function unless(isDead: () => boolean, store: MemorySessionStore): MemorySessionStore {
  return new Proxy(store, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
      return async (...args: unknown[]) => {
        if (isDead()) throw new LeadlineError('STORE_UNAVAILABLE', 'this worker is dead')
        return method.apply(target, args)
      }
    }
  })
}
