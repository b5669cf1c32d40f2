import { randomBytes } from 'node:crypto'
import { Registry } from 'prom-client'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import type { Meter } from '../../metering/measures.ts'
import type { FrameEngine } from '../../frame-engine.ts'
import { Keys } from './keys.ts'
import type { Log } from '../log.ts'
import { RedisConnections } from './redis-connections.ts'
import { RedisGatewayLink } from './redis-gateway-link.ts'
import { RedisSessionStore } from './redis-session-store.ts'
import { RedisWorkerLink } from './redis-worker-link.ts'
import { SessionGateway } from '../gateway/session-gateway.ts'
import { storeTimes } from '../session-store.ts'
import { parkTimes } from '../worker/parking/park-policy.ts'
import { SessionWorker } from '../worker/session-worker.ts'
import type { DrainWish } from '../worker/moving/mover.ts'
import { gatewayMeter, watchGateway, watchWorker, workerMeter } from '../metrics/session-meters.ts'
import type { Sessions } from '../sessions.ts'
import { watchRedis, watchTurns } from './watch-redis.ts'

export interface WorkerHandle {
  /** Name in logs and rows: the configured one and a suffix, since each life of a worker has its own queue. */
  readonly id: string
  /** What it lacks to be given sessions. */
  missing(): ('redis' | 'lease' | 'draining')[]
  /** As of `SessionWorker`. */
  drain(wish?: DrainWish): Promise<void>
  /** Close every session, leave Redis, by `untilMs`. The engine stays open: it belongs to the caller. */
  close(untilMs?: number): Promise<void>
}

export interface WorkerOptions {
  log: Log
  /** Where it counts. @default nowhere */
  metrics?: Registry
  /** Makes what counts use by clients, over the connections of the worker; closed with them. @default nothing is counted */
  usageOn?: (redis: RedisConnections) => UsageMeter
}

/** A gateway's sessions over Redis. Throws STORE_UNAVAILABLE when Redis does not answer. */
export async function redisGateway(config: Config, log: Log, metrics = new Registry()): Promise<Sessions> {
  const redis = await connect(config, log)
  const keys = new Keys(config.keyPrefix)
  const gateway = new SessionGateway({
    ...{ log, graceMs: config.graceMs, ringBytes: config.ringBytes },
    meter: gatewayMeter(metrics),
    store: new RedisSessionStore(redis, keys, storeTimes),
    link: new RedisGatewayLink({ redis, keys, log })
  })
  watchGateway(metrics, gateway)
  watchRedis(metrics, redis)
  let closed: Promise<void> | null = null
  const close = (): Promise<void> => (closed ??= gateway.close().finally(() => redis.close()))
  try {
    await gateway.start()
  } catch (error) {
    await close()
    throw error
  }
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
    close
  }
}

export interface UsageMeter extends Meter {
  /** What is not counted by now is not. */
  close(): void
}

/** Serve sessions from Redis with this engine. Throws STORE_UNAVAILABLE when Redis does not answer. */
export async function redisWorker(
  config: Config,
  engine: FrameEngine,
  { log, metrics = new Registry(), usageOn }: WorkerOptions
): Promise<WorkerHandle> {
  const redis = await connect(config, log)
  const usage = usageOn?.(redis)
  const keys = new Keys(config.keyPrefix)
  const id = `${config.workerId ?? 'worker'}_${randomBytes(6).toString('base64url')}`
  const link = new RedisWorkerLink({ redis, keys, log })
  const worker = new SessionWorker({
    ...{ engine, log, workerId: id, parking: parkTimes(config.parkAfterMs) },
    ...(usage && { usage }),
    balanceAbove: config.balanceAbove,
    meter: workerMeter(metrics),
    store: new RedisSessionStore(redis, keys, storeTimes),
    link
  })
  watchWorker(metrics, worker)
  watchRedis(metrics, redis)
  watchTurns(metrics, link)
  let closed: Promise<void> | null = null
  const close = (untilMs?: number): Promise<void> =>
    (closed ??= worker.close(untilMs).finally(() => {
      usage?.close()
      redis.close()
    }))
  try {
    await worker.start()
  } catch (error) {
    await close()
    throw error
  }
  const missing: WorkerHandle['missing'] = () => [
    ...(redis.isUp ? [] : (['redis'] as const)),
    ...worker.standing.lacks
  ]
  return { id, missing, drain: (wish) => worker.drain(wish), close }
}

function connect(config: Config, log: Log): Promise<RedisConnections> {
  if (config.redisUrl === null) {
    throw new LeadlineError('STORE_UNAVAILABLE', 'REDIS_URL is empty; gateways and workers meet in Redis')
  }
  return RedisConnections.open(config.redisUrl, log, config.keyPrefix)
}
