import { onTestFinished } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import type { GatewayLink } from '../../src/sessions/link.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { takeOverSuite } from './take-over.suite.ts'

const away = new LeadlineError('STORE_UNAVAILABLE', 'this gateway is cut off')

takeOverSuite('in one process', async () => {
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
})

/** A gateway's ends of what it shares with others, which can be taken from it. */
function cuttable(shared: GatewayLink, whole: SessionStore) {
  let isCut = false
  const store = new Proxy(whole, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => (isCut ? Promise.reject(away) : method.apply(target, args))
    }
  })
  const link: GatewayLink = {
    attach: (route, onEvent, onFailure) => {
      const ends = shared.attach(route, (event) => isCut || onEvent(event), onFailure)
      return { ...ends, send: (command) => isCut || ends.send(command) }
    },
    forget: (...gone) => shared.forget(...gone),
    keepOnly: (ids) => shared.keepOnly(ids),
    close: async () => {}
  }
  return { link, store, cut: () => void (isCut = true) }
}
