import { onTestFinished } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { parkTimes } from '../../src/sessions/worker/parking/park-policy.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { notingStore } from '../helpers/noting-store.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { movingFailuresSuite } from './moving-failures.suite.ts'
import { movingSuite } from './moving.suite.ts'
import type { MovingCell } from './moving-cell.ts'

const cell = async (): Promise<MovingCell> => {
  const shared = new MemorySessionStore({ ...storeTimes, workerTtlMs: 1500 })
  const link = new InProcessLink()
  const log = quietLog()
  let workers = 0
  return {
    store: shared,
    startGateway: async () => {
      const gateway = new SessionGateway({ store: shared, link, log, graceMs: 20_000, ringBytes: 2 ** 22 })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return gateway
    },
    startWorker: async (engine, { parkAfterMs = 0, balanceAbove = 1 } = {}) => {
      let isDead = false
      const id = `w${++workers}`
      const end = link.workerLink()
      const { store, onCommit } = notingStore(shared)
      const worker = new SessionWorker({
        ...{ engine, log, workerId: id, balanceAbove, parking: parkTimes(parkAfterMs) },
        store: unless(() => isDead, store),
        link: { ...end, emit: (...args) => isDead || end.emit(...args) }
      })
      await worker.start()
      onTestFinished(() => worker.close())
      const kill = (): void => {
        isDead = true
        void end.close()
      }
      return { id, drain: () => worker.drain(), close: () => worker.close(), kill, onCommit }
    }
  }
}

movingSuite('in one process', cell)
movingFailuresSuite('in one process', cell)

/** The store as a process has it, until it can reach it no more. */
function unless(isDead: () => boolean, store: SessionStore): SessionStore {
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
