import type { Logger } from 'pino'
import type { Access } from './access/index.ts'
import { openAccess } from './access/index.ts'
import type { Config } from './config.ts'
import type { RunningGateway } from './gateway.ts'
import { listen, startGateway } from './gateway.ts'
import { createEngine } from './inference/index.ts'
import type { EngineOffer } from './session.ts'
import { embeddedSessions } from './sessions/index.ts'
import { closeInOrder, stopBy } from './machine/stop-time.ts'
import { openTracer } from './tracing/open-tracer.ts'
import { openUsage, toldMeter } from './usage/index.ts'
import { executorMs, startWorker } from './worker.ts'

export interface RunningServer extends RunningGateway {
  offer: EngineOffer
  /** Whether its executor lives. */
  isAlive(): boolean
  close(untilMs?: number): Promise<void>
}

/**
 * Gateway and worker in one process tree; they meet in memory or, when one is configured, in Redis. Who may use it is known
 * first: a server that must not start has loaded nothing.
 */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const access = await openAccess(config, log)
  try {
    return await (config.redisUrl === null ? startEmbedded : startTogether)(config, log, access)
  } catch (error) {
    await access.close()
    throw error
  }
}

async function startEmbedded(config: Config, log: Logger, access: Access): Promise<RunningServer> {
  const usage = await openUsage(config, log)
  const tracer = await openTracer(config, 'leadline-worker')
  const created = await createEngine({ config, log, tracer }).catch(async (error: unknown) => {
    await usage.close()
    throw error
  })
  const { engine, metrics, isAlive, close: closeEngine } = created
  try {
    const counting = toldMeter(usage, metrics, config.metricsPerKey)
    const sessions = await embeddedSessions(engine, log, { ...config, metrics, usage: counting })
    const gateway = await listen(config, log, { access, usage, sessions, metrics, isAlive })
    let closed: Promise<void> | null = null
    const close = (untilMs = stopBy()) =>
      (closed ??= closeInOrder(untilMs - executorMs, gateway.close(), closeEngine))
    return { url: gateway.url, offer: engine.offer, isAlive, close }
  } catch (error) {
    await closeEngine()
    await usage.close()
    throw error
  }
}

async function startTogether(config: Config, log: Logger, access: Access): Promise<RunningServer> {
  const worker = await startWorker(config, log)
  try {
    const gateway = await startGateway(config, log, {
      ...{ metrics: worker.metrics, access },
      isAlive: () => worker.isAlive()
    })
    return {
      url: gateway.url,
      offer: worker.offer,
      isAlive: () => worker.isAlive(),
      // What it serves, for whichever gateway, goes to other workers while its own clients go to other gateways.
      close: async (untilMs = stopBy()) => {
        const closed = gateway.close()
        const emptied = worker.empty(untilMs, closed)
        const left = closed.finally(() => emptied)
        await closeInOrder(untilMs - executorMs, left, () => worker.close(untilMs))
      }
    }
  } catch (error) {
    await worker.close()
    throw error
  }
}
