import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { Registry } from 'prom-client'
import type { Access } from '../access/index.ts'
import type { Config } from '../config.ts'
import type { Sessions } from '../sessions/index.ts'
import type { LeadlineError } from '../errors.ts'
import type { UsageStore } from '../usage/index.ts'
import { MemoryUsageStore, toldMeter } from '../usage/index.ts'
import type { FrameTracer } from '../tracing/frame-tracer.ts'
import { Failures } from './failures.ts'
import { boundAddresses } from './plugins/addresses.ts'
import type { ClientError } from './plugins/client-error.ts'
import { answerClientError, maxHeaderBytes } from './plugins/client-error.ts'
import { boundConnections } from './plugins/connections.ts'
import { guardAgainstForeignPages } from './plugins/foreign-pages.ts'
import { refuseWhileClosing } from './plugins/draining.ts'
import { failureAnswer, handleErrors } from './plugins/error-handler.ts'
import { logSerializers } from './log-serializers.ts'
import { askForKeys } from './plugins/keys.ts'
import { knowMethods } from './plugins/methods.ts'
import { readForms } from './plugins/multipart.ts'
import { refuseUnderPressure } from './plugins/pressure.ts'
import { describeRoutes } from './plugins/swagger.ts'
import { discardUnreadBodies } from './plugins/unread-body.ts'
import { speakWebSocket } from './plugins/websocket.ts'
import { requestFault, requestParts } from './request-fault.ts'
import { clipRoutes } from './routes/clips.ts'
import { depthRoute } from './routes/depth.ts'
import { healthRoutes } from './routes/health.ts'
import { metricsRoute } from './routes/metrics.ts'
import { modelRoutes } from './routes/models.ts'
import { builtPageFolder, pageRoutes } from './routes/page.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { workerRoutes } from './routes/workers.ts'
import { streamRoute } from './routes/stream.ts'
import { ticketRoute } from './routes/tickets.ts'
import { usageRoute } from './routes/usage.ts'
import { SessionQuota } from './session-quota.ts'
import { StreamMeter } from './stream/stream-meter.ts'
import { OpenStreams } from './stream/open-streams.ts'

const usualHeadersTimeoutMs = 20_000
/**
 * How long clients have to go on at another gateway: a client that looks for one is refused here and sent on, and whoever
 * balances the load looks at /readyz every few seconds. Well within `stopMs`.
 */
const leaveMs = 8000

export interface AppOptions {
  /** Not closed with the app, nor are the sessions: whoever made them closes them, after the app. */
  access: Access
  config: Config
  sessions: Sessions
  /** Likewise not closed. @default for as long as the app is open */
  usage?: UsageStore
  /** What GET /metrics shows. @default nothing */
  metrics?: Registry
  /** Told of frames that are traced; closed by whoever made it. @default nobody */
  tracer?: FrameTracer | null
  /** Whether the executor of this process lives. @default there is none */
  isAlive?: () => boolean
  /** Time for the headers of a request; the rest of it has limits of its own. @default 20 s */
  headersTimeoutMs?: number
  /** Where the page was built. @default where the build puts it */
  pageFolder?: string
  log: FastifyBaseLogger
}

/** The gateway's HTTP and WebSocket side, assembled and not listening. Its `close` ends every stream first. */
export async function buildApp(given: AppOptions): Promise<FastifyInstance> {
  const { access, config, sessions, log } = given
  const metrics = given.metrics ?? new Registry()
  const usage = given.usage ?? new MemoryUsageStore()
  const headersTimeoutMs = given.headersTimeoutMs ?? usualHeadersTimeoutMs
  const failures = new Failures({ metrics })
  const answerByHand = (error: ClientError | LeadlineError, socket: Duplex) =>
    answerClientError(error, socket, (failure) => failures.tell(failure, log))
  const app = Fastify({
    loggerInstance: log.child({}, { serializers: logSerializers }),
    requestTimeout: config.requestTimeoutMs,
    trustProxy: config.trustedProxies.length > 0 && [...config.trustedProxies],
    http: {
      headersTimeout: headersTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      connectionsCheckingInterval: headersTimeoutMs / 4
    },
    genReqId: () => randomUUID(),
    return503OnClosing: false,
    // A path that is too long for its route is for that to refuse.
    routerOptions: { maxParamLength: maxHeaderBytes },
    // What takes time when it opens or closes has limits that know what they wait for.
    pluginTimeout: 0,
    clientErrorHandler: answerByHand,
    frameworkErrors: failureAnswer(failures),
    // A misspelt parameter is refused, not forgotten.
    ajv: { customOptions: { removeAdditional: false } },
    schemaErrorFormatter: (findings, part) => requestFault(findings, requestParts[part] ?? part)
  }).withTypeProvider<TypeBoxTypeProvider>()
  boundConnections(app, config.maxConnections)
  const streams = new OpenStreams(config.redisUrl === null ? 0 : leaveMs)
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id))
  // Before any route there is: a route fails as was said when it was made.
  handleErrors(app, failures)
  // Before the websocket plugin's own hook, which closes sockets without a word.
  app.addHook('preClose', async () => {
    await Promise.all([streams.drain(), wait(config.lameDuckMs)])
  })
  // Before the hooks that refuse a request: of one that asks for an upgrade this plugin then ends the socket.
  await speakWebSocket(app, { ...config, answerByHand })
  const addresses = boundAddresses(app, {
    limits: { connections: config.maxConnectionsPerAddress, unproven: config.maxUnprovenPerAddress },
    trustedProxies: config.trustedProxies,
    refuse: answerByHand
  })
  await guardAgainstForeignPages(app, config)
  refuseWhileClosing(app, streams)
  const pressure = refuseUnderPressure(app, config.maxLoopDelayMs)
  askForKeys(app, access, addresses)

  discardUnreadBodies(app)

  await describeRoutes(app)
  await readForms(app)

  const answerOtherMethods = knowMethods(app)
  await app.register(healthRoutes, {
    ...{ sessions, failures, streams, pressure, defaultModel: config.defaultModel },
    isAlive: given.isAlive ?? (() => true)
  })
  await app.register(metricsRoute, { metrics })
  await app.register(modelRoutes, { sessions })
  await app.register(sessionRoutes, { sessions })
  await app.register(ticketRoute, { access })
  await app.register(workerRoutes, { sessions })
  const quota = new SessionQuota(sessions)
  await app.register(streamRoute, {
    ...{ access, addresses, config, failures, quota, streams },
    meter: new StreamMeter(metrics, streams, given.tracer)
  })
  await app.register(pageRoutes, { folder: given.pageFolder ?? builtPageFolder })
  await app.register(depthRoute, { access, config, quota })
  const meter = toldMeter(usage, metrics, config.metricsPerKey)
  await app.register(clipRoutes, { config, failures, meter, metrics, sessions })
  await app.register(usageRoute, { access, usage })
  answerOtherMethods()
  return app
}
