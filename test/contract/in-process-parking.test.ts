import { onTestFinished } from 'vitest'
import { InProcessLink } from '../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../src/sessions/embedded/memory-session-store.ts'
import { SessionGateway } from '../../src/sessions/gateway/session-gateway.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { parkTimes } from '../../src/sessions/worker/parking/park-policy.ts'
import { SessionWorker } from '../../src/sessions/worker/session-worker.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { parkingSuite } from './parking.suite.ts'
import type { ParkingCell, ParkingCellOptions } from './parking.suite.ts'
import { partedRowsSuite } from './parted-rows.suite.ts'

parkingSuite('in one process', makeCell)
partedRowsSuite('in one process', makeCell)

async function makeCell({ capacityBytes, parkAfterMs }: ParkingCellOptions): Promise<ParkingCell> {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: Infinity, gatewayTtlMs: Infinity })
  const link = new InProcessLink()
  const engine = new HashEngine(capacityBytes)
  const log = quietLog()
  const worker = new SessionWorker({
    ...{ store, link: link.workerLink(), engine, log, workerId: 'w', parking: parkTimes(parkAfterMs) }
  })
  await worker.start()
  onTestFinished(() => worker.close())
  const gateway = new SessionGateway({ store, link, log, graceMs: 20_000 })
  await gateway.start()
  onTestFinished(() => gateway.close())
  return { engine, store, gateway }
}
