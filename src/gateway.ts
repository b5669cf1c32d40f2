import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { buildApp } from './api/index.ts'
import type { Config } from './config.ts'
import { watchProcess } from './metrics.ts'
import type { Sessions } from './sessions/index.ts'
import { redisGateway } from './sessions/index.ts'

export interface RunningGateway {
  /** Where it listens, as `http://host:port`. */
  url: string
  /** Ends every stream, then leaves the workers. Twice without harm. */
  close(): Promise<void>
}

/** HTTP and WebSocket in front of the workers that share its Redis. Throws STORE_UNAVAILABLE, or what `listen` throws. */
export async function startGateway(
  config: Config,
  log: Logger,
  metrics = new Registry()
): Promise<RunningGateway> {
  return listen(config, log, { sessions: await redisGateway(config, log, metrics), metrics })
}

/** The same in front of given sessions, which are closed with it, also when it cannot listen. */
export async function listen(
  config: Config,
  log: Logger,
  { sessions, metrics }: { sessions: Sessions; metrics: Registry }
): Promise<RunningGateway> {
  watchProcess(metrics)
  const app = await buildApp({ config, sessions, metrics, log }).catch(async (error: unknown) => {
    await sessions.close()
    throw error
  })
  let closed: Promise<void> | null = null
  const close = () => (closed ??= app.close().finally(() => sessions.close()))
  try {
    return { url: await app.listen({ host: config.host, port: config.port }), close }
  } catch (error) {
    await close()
    throw error
  }
}
