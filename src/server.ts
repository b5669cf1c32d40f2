import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { RunningGateway } from './gateway.ts'
import { listen, startGateway } from './gateway.ts'
import { createEngine } from './inference/index.ts'
import type { EngineOffer } from './session.ts'
import { embeddedSessions } from './sessions/index.ts'
import { closeInOrder, stopBy } from './stop-time.ts'
import { executorMs, startWorker } from './worker.ts'

export interface RunningServer extends RunningGateway {
  offer: EngineOffer
  /** Whether its executor lives. */
  isAlive(): boolean
  close(untilMs?: number): Promise<void>
}

/** Gateway and worker in one process tree; they meet in memory or, when one is configured, in Redis. */
export function startServer(config: Config, log: Logger): Promise<RunningServer> {
  return config.redisUrl === null ? startEmbedded(config, log) : startTogether(config, log)
}

async function startEmbedded(config: Config, log: Logger): Promise<RunningServer> {
  const { engine, metrics, isAlive, close: closeEngine } = await createEngine({ config, log })
  try {
    const gateway = await listen(config, log, {
      sessions: await embeddedSessions(engine, log, config),
      metrics
    })
    let closed: Promise<void> | null = null
    const close = (untilMs = stopBy()) =>
      (closed ??= closeInOrder(untilMs - executorMs, gateway.close(), closeEngine))
    return { url: gateway.url, offer: engine.offer, isAlive, close }
  } catch (error) {
    await closeEngine()
    throw error
  }
}

async function startTogether(config: Config, log: Logger): Promise<RunningServer> {
  const worker = await startWorker(config, log)
  try {
    const gateway = await startGateway(config, log, worker.metrics)
    return {
      url: gateway.url,
      offer: worker.offer,
      isAlive: () => worker.isAlive(),
      close: (untilMs = stopBy()) =>
        closeInOrder(untilMs - executorMs, gateway.close(), () => worker.close(untilMs))
    }
  } catch (error) {
    await worker.close()
    throw error
  }
}
