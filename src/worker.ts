import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Config } from './config.ts'
import { createEngine } from './inference/index.ts'
import { serveMetrics, watchProcess, type MetricsServer } from './metering/metrics.ts'
import type { EngineOffer } from './session.ts'
import type { RedisConnections } from './sessions/index.ts'
import { redisWorker } from './sessions/index.ts'
import type { WorkerHandle } from './sessions/index.ts'
import { openTracer } from './tracing/open-tracer.ts'
import { reached } from './machine/start-times.ts'
import { closeInOrder, stopBy, until } from './machine/stop-time.ts'
import { toldMeter, usageMeter } from './usage/index.ts'

/** How long before the end of the time for stopping sessions are ended that still go on, in milliseconds. */
const closingMs = 14_000
/** And how long before it the engine is closed, which takes 10 s when a load keeps sessions from ending. */
export const executorMs = 12_000

export interface RunningWorker {
  id: string
  offer: EngineOffer
  metrics: Registry
  /** Where they can be read, if anywhere. */
  metricsUrl: string | null
  /** Whether its executor lives. */
  isAlive(): boolean
  /**
   * Take no new sessions, and give those there are to other workers, for as long as `untilMs` allows; where no worker takes
   * them, until `isLast` resolves. @default isLast never does
   */
  empty(untilMs: number, isLast?: Promise<unknown>): Promise<void>
  /** Ends every session, leaves Redis, stops the executor. Twice without harm. */
  close(untilMs?: number): Promise<void>
}

/** One device at the service of Redis. Throws STORE_UNAVAILABLE, MODEL_UNKNOWN, EXECUTOR_FAILED. */
export async function startWorker(config: Config, log: Logger): Promise<RunningWorker> {
  const {
    engine,
    metrics,
    isAlive,
    close: closeEngine
  } = await createEngine({
    ...{ config, log },
    tracer: await openTracer(config, 'leadline-worker')
  })
  let metricsServer: MetricsServer | null = null
  let worker: WorkerHandle | undefined
  const closeAll = async () => {
    await metricsServer?.close()
    await closeEngine()
  }
  try {
    watchProcess(metrics)
    const usageOn = (redis: RedisConnections) => {
      const meter = usageMeter(redis, config)
      return { ...toldMeter(meter, metrics, config.metricsPerKey), close: () => meter.close() }
    }
    if (config.metricsPort !== null)
      metricsServer = await serveMetrics({
        ...{ registry: metrics, host: config.host, port: config.metricsPort, isAlive },
        missing: () => worker?.missing() ?? ['lease']
      })
    const started = await redisWorker(config, engine, { log, metrics, usageOn })
    worker = started
    reached(metrics, 'ready')
    let closed: Promise<void> | null = null
    const close = (untilMs = stopBy()) =>
      (closed ??= closeInOrder(untilMs - executorMs, started.close(untilMs), closeAll))
    return {
      id: started.id,
      offer: engine.offer,
      metrics,
      metricsUrl: metricsServer?.url ?? null,
      isAlive,
      empty: (untilMs, isLast) => {
        const hurry = () => started.drain({ isPatient: false })
        isLast?.then(hurry, hurry)
        return until(untilMs - closingMs, started.drain())
      },
      close
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}
