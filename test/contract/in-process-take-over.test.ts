import { onTestFinished } from 'vitest'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { cuttable } from '../helpers/cuttable.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import type { Cell } from './cell.ts'
import { leftSessionSuite } from './left-session.suite.ts'
import { sessionListSuite } from './session-list.suite.ts'
import { takeOverSuite } from './take-over.suite.ts'

const makeCell = async (): Promise<Cell> => {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: Infinity, gatewayTtlMs: 1000 })
  const shared = new InProcessLink()
  const engine = new HashEngine()
  const log = quietLog()
  const worker = new SessionWorker({ store, link: shared.workerLink(), engine, log, workerId: 'w' })
  await worker.start()
  onTestFinished(() => worker.close())
  return {
    ...{ engine, store },
    addGateway: async ({ graceMs = 20_000 } = {}) => {
      const { link, store: ownStore, cut } = cuttable(shared, store)
      const gateway = new SessionGateway({ store: ownStore, link, log, graceMs })
      await gateway.start()
      onTestFinished(() => gateway.close())
      return Object.assign(gateway, { vanish: cut })
    },
    leftovers: async () => {
      const { sessions } = await store.listSessions({ owner: null, cursor: null, limit: 1000 })
      const [row] = (await store.workers()).live
      const bytes = row?.reservedBytes ?? 0
      const unaccounted = bytes === 0 ? {} : { w: { bytes, sessions: row?.sessions ?? 0 } }
      return { immortal: [], unaccounted, ofSessions: sessions.map(({ id }) => id) }
    }
  }
}

for (const suite of [takeOverSuite, leftSessionSuite, sessionListSuite]) suite('in one process', makeCell)
