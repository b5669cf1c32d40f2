import { Registry } from 'prom-client'
import type { Config } from '../../config.ts'
import type { Meter } from '../../metering/measures.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import { InProcessLink } from './in-process-link.ts'
import type { Log } from '../log.ts'
import { MemorySessionStore } from './memory-session-store.ts'
import { SessionGateway } from '../gateway/session-gateway.ts'
import { storeTimes } from '../session-store.ts'
import { parkTimes } from '../worker/parking/park-policy.ts'
import { gatewayMeter, watchGateway, watchWorker, workerMeter } from '../metrics/session-meters.ts'
import { SessionWorker } from '../worker/session-worker.ts'
import type { Sessions } from '../sessions.ts'

export interface EmbeddedSessions extends Sessions {
  /** Take no new sessions; resolves when the last one is closed. */
  drain(): Promise<void>
}

export interface EmbeddedOptions extends Partial<Pick<Config, 'graceMs' | 'parkAfterMs'>> {
  /** Where they count. @default nowhere */
  metrics?: Registry
  /** What their clients use is counted by. @default nothing is */
  usage?: Meter
}

/** Gateway and worker in one process: no Redis. Closes its sessions, not the engine. */
export async function embeddedSessions(
  engine: FrameEngine,
  log: Log,
  { graceMs = 0, parkAfterMs = 0, metrics = new Registry(), usage }: EmbeddedOptions = {}
): Promise<EmbeddedSessions> {
  // Both sides share one event loop: a lease that runs out would only say that the loop was busy.
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: Infinity, gatewayTtlMs: Infinity })
  const link = new InProcessLink()
  const worker = new SessionWorker({
    ...{ store, link: link.workerLink(), engine, log, workerId: 'embedded' },
    ...{ parking: parkTimes(parkAfterMs), meter: workerMeter(metrics) },
    ...(usage && { usage })
  })
  const gateway = new SessionGateway({ store, link, log, graceMs, meter: gatewayMeter(metrics) })
  watchGateway(metrics, gateway)
  watchWorker(metrics, worker)
  await worker.start()
  await gateway.start()
  let closed: Promise<void> | null = null
  return {
    open: (wish, onEvent) => gateway.open(wish, onEvent),
    resume: (wish, onEvent) => gateway.resume(wish, onEvent),
    list: (wish) => gateway.list(wish),
    end: (id, owner) => gateway.end(id, owner),
    workers: () => gateway.workers(),
    drainWorker: (workerId) => gateway.drainWorker(workerId),
    rebalance: () => gateway.rebalance(),
    rebalancePlan: () => gateway.rebalancePlan(),
    models: () => gateway.models(),
    readiness: (model) => gateway.readiness(model),
    drain: () => worker.drain(),
    close: () => (closed ??= gateway.close().then(() => worker.close()))
  }
}
