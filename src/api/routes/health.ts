import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { LeadlineError } from '../../errors.ts'
import type { Sessions } from '../../sessions/index.ts'
import type { Failures } from '../failures.ts'
import { draining } from '../plugins/draining.ts'
import { sendProblem } from '../plugins/error-handler.ts'
import { overloaded } from '../plugins/pressure.ts'
import { problemMediaType, problemResponses } from '../problem.ts'

export interface HealthRoutesOptions {
  sessions: Sessions
  /** Of sessions that name none. */
  defaultModel: string
  failures: Failures
  streams: { readonly isDraining: boolean }
  /** Whether the process refuses what is new. */
  pressure: { readonly isHigh: boolean }
  /** Whether what the event loop cannot vouch for lives: the executor, where this process has one. */
  isAlive: () => boolean
}

const notReady = problemResponses(
  'NO_WORKER',
  'DRAINING',
  'STORE_UNAVAILABLE',
  'EXECUTOR_FAILED',
  'OVERLOADED'
)
const lacks = ['redis', 'worker', 'model', 'draining', 'executor', 'pressure'] as const
type Lack = (typeof lacks)[number]
const missingSchema = Type.Object({
  missing: Type.Array(Type.Enum(lacks), {
    description:
      'redis: it does not answer; worker: none lives; model: no worker serves the default one; draining: this server or ' +
      'every worker leaves; executor: that of this process is gone; pressure: it has more to do than it can, and refuses what is new'
  })
})

export const healthRoutes: FastifyPluginAsyncTypebox<HealthRoutesOptions> = async (app, options) => {
  const { sessions, defaultModel, failures, streams, pressure, isAlive } = options
  app.get(
    '/livez',
    {
      config: { access: 'everybody' },
      // Asked for every few seconds; not worth a line each.
      logLevel: 'warn',
      schema: {
        tags: ['service'],
        operationId: 'getLiveness',
        summary: 'Is the process alive?',
        description:
          'Answers as long as the event loop turns: 200 while the executor of this process lives too, or it has none. ' +
          'Restart the process when it does not.',
        response: {
          200: { description: 'Alive', ...Type.Object({ alive: Type.Literal(true) }) },
          ...problemResponses('EXECUTOR_FAILED')
        }
      }
    },
    async () => {
      if (!isAlive()) throw executorGone()
      return { alive: true as const }
    }
  )

  app.get(
    '/readyz',
    {
      config: { access: 'everybody' },
      logLevel: 'warn',
      schema: {
        tags: ['service'],
        operationId: 'getReadiness',
        summary: 'Can a session be opened now?',
        description:
          'Take the process out of the load balancer, without restarting it, while this answers 503; `missing` says what ' +
          'it waits for.',
        response: {
          200: { description: 'Ready', ...Type.Object({ ready: Type.Literal(true) }) },
          ...notReady,
          503: {
            ...notReady[503],
            content: {
              [problemMediaType]: { schema: Type.Intersect([Type.Ref('Problem#'), missingSchema]) }
            }
          }
        }
      }
    },
    async (request, reply) => {
      const { failure, missing } = await look()
      if (failure === null) return { ready: true as const }
      return sendProblem(failures, failure, { request, reply, more: { missing } })
    }
  )

  async function look(): Promise<{ failure: LeadlineError | null; missing: readonly Lack[] }> {
    if (streams.isDraining) return { failure: draining(), missing: ['draining'] }
    if (!isAlive()) return { failure: executorGone(), missing: ['executor'] }
    if (pressure.isHigh) return { failure: overloaded(), missing: ['pressure'] }
    const found = await sessions.readiness(defaultModel)
    if (found.ready) return { failure: null, missing: [] }
    return { failure: new LeadlineError(found.code, found.reason), missing: found.missing }
  }
}

function executorGone(): LeadlineError {
  const detail =
    'The executor of this process died before it did anything; restart the process, its log says why'
  return new LeadlineError('EXECUTOR_FAILED', detail)
}
