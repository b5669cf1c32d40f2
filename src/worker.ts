import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createEngine } from './inference/index.ts'
import type { EngineOffer } from './session.ts'
import { redisWorker } from './sessions/index.ts'

/** How long the sessions of a worker that is told to stop may go on; longer than a model takes to load. */
const drainGraceMs = 20_000

export interface RunningWorker {
  id: string
  offer: EngineOffer
  /** Take no new sessions, give the open ones some time to end. */
  drain(): Promise<void>
  /** Ends every session, leaves Redis, stops the executor. Twice without harm. */
  close(): Promise<void>
}

/** One device at the service of Redis. Throws STORE_UNAVAILABLE, MODEL_UNKNOWN, EXECUTOR_FAILED. */
export async function startWorker(config: Config, log: Logger): Promise<RunningWorker> {
  const { engine, close: closeEngine } = await createEngine({ config, log })
  try {
    const worker = await redisWorker(config, engine, log)
    let closed: Promise<void> | null = null
    return {
      id: worker.id,
      offer: engine.offer,
      drain: () => withinGrace(worker.drain()),
      close: () => (closed ??= worker.close().finally(closeEngine))
    }
  } catch (error) {
    await closeEngine()
    throw error
  }
}

async function withinGrace(drained: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, drainGraceMs)))
  await Promise.race([drained, grace]).finally(() => clearTimeout(timer))
}
