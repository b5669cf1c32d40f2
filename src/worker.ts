import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Config } from './config.ts'
import { createEngine } from './inference/index.ts'
import { serveMetrics, watchProcess, type MetricsServer } from './metrics.ts'
import type { EngineOffer } from './session.ts'
import { redisWorker } from './sessions/index.ts'

/** How long the sessions of a worker that is told to stop may go on; longer than a model takes to load. */
const drainGraceMs = 20_000

export interface RunningWorker {
  id: string
  offer: EngineOffer
  metrics: Registry
  /** Where they can be read, if anywhere. */
  metricsUrl: string | null
  /** Take no new sessions, give the open ones some time to end. */
  drain(): Promise<void>
  /** Ends every session, leaves Redis, stops the executor. Twice without harm. */
  close(): Promise<void>
}

/** One device at the service of Redis. Throws STORE_UNAVAILABLE, MODEL_UNKNOWN, EXECUTOR_FAILED. */
export async function startWorker(config: Config, log: Logger): Promise<RunningWorker> {
  const { engine, metrics, close: closeEngine } = await createEngine({ config, log })
  let metricsServer: MetricsServer | null = null
  const closeAll = async () => {
    await metricsServer?.close()
    await closeEngine()
  }
  try {
    watchProcess(metrics)
    if (config.metricsPort !== null)
      metricsServer = await serveMetrics(metrics, config.host, config.metricsPort)
    const worker = await redisWorker(config, engine, log)
    let closed: Promise<void> | null = null
    return {
      id: worker.id,
      offer: engine.offer,
      metrics,
      metricsUrl: metricsServer?.url ?? null,
      drain: () => withinGrace(worker.drain()),
      close: () => (closed ??= worker.close().finally(closeAll))
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function withinGrace(drained: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, drainGraceMs)))
  await Promise.race([drained, grace]).finally(() => clearTimeout(timer))
}
