import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import type { Access } from './access/index.ts'
import { openAccess } from './access/index.ts'
import { buildApp } from './api/index.ts'
import type { Config } from './config.ts'
import { openTracer } from './tracing/open-tracer.ts'
import { watchProcess } from './metering/metrics.ts'
import type { Sessions } from './sessions/index.ts'
import { reached } from './machine/start-times.ts'
import { redisGateway } from './sessions/index.ts'
import type { UsageStore } from './usage/index.ts'
import { openUsage } from './usage/index.ts'

export interface RunningGateway {
  /** Where it listens, as `http://host:port`. */
  url: string
  /** Ends every stream, then leaves the workers. Twice without harm. */
  close(): Promise<void>
}

/** What a process that is a worker as well has already. */
export type GatewayParts = Partial<Omit<Served, 'sessions'>>

/** HTTP and WebSocket in front of the workers that share its Redis. Throws STORE_UNAVAILABLE, or what `listen` throws. */
export async function startGateway(
  config: Config,
  log: Logger,
  { metrics = new Registry(), access, isAlive }: GatewayParts = {}
): Promise<RunningGateway> {
  const given = access ?? (await openAccess(config, log))
  let usage: UsageStore | null = null
  try {
    usage = await openUsage(config, log)
    const sessions = await redisGateway(config, log, metrics)
    return await listen(config, log, { access: given, usage, sessions, metrics, isAlive })
  } catch (error) {
    await usage?.close()
    await given.close()
    throw error
  }
}

export interface Served {
  access: Access
  usage: UsageStore
  sessions: Sessions
  metrics: Registry
  /** Whether the executor of this process lives; undefined: it has none. */
  isAlive?: (() => boolean) | undefined
}

/** The same in front of given sessions, which are closed with it, as is the rest that is given, also when it cannot listen. */
export async function listen(
  config: Config,
  log: Logger,
  { access, usage, sessions, metrics, isAlive = () => true }: Served
): Promise<RunningGateway> {
  watchProcess(metrics)
  const tracer = await openTracer(config, 'leadline-gateway')
  const leave = () =>
    sessions
      .close()
      .finally(() => usage.close())
      .finally(() => access.close())
      .finally(() => tracer?.close())
  const app = await buildApp({ access, usage, config, sessions, metrics, isAlive, tracer, log }).catch(
    async (error: unknown) => {
      await leave()
      throw error
    }
  )
  let closed: Promise<void> | null = null
  const close = () => (closed ??= app.close().finally(leave))
  try {
    const url = await app.listen({ host: config.host, port: config.port })
    reached(metrics, 'ready')
    return { url, close }
  } catch (error) {
    await close()
    throw error
  }
}
