import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { LeadlineError } from '../../errors.ts'
import type { Sessions } from '../../sessions/index.ts'
import { problemResponses } from '../problem.ts'

export interface HealthRoutesOptions {
  sessions: Sessions
  /** Of sessions that name none. */
  defaultModel: string
}

export const healthRoutes: FastifyPluginAsyncTypebox<HealthRoutesOptions> = async (
  app,
  { sessions, defaultModel }
) => {
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
        description: 'Answers as long as the event loop turns. Restart the process when it does not.',
        response: {
          200: { description: 'Alive', ...Type.Object({ alive: Type.Literal(true) }) },
          ...problemResponses()
        }
      }
    },
    async () => ({ alive: true as const })
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
          'Take the process out of the load balancer, without restarting it, while this answers 503: no worker serves ' +
          'the default model now.',
        response: {
          200: { description: 'Ready', ...Type.Object({ ready: Type.Literal(true) }) },
          ...problemResponses('NO_WORKER', 'DRAINING', 'STORE_UNAVAILABLE')
        }
      }
    },
    async () => {
      const readiness = await sessions.readiness(defaultModel)
      if (!readiness.ready) throw new LeadlineError(readiness.code, readiness.reason)
      return { ready: true as const }
    }
  )
}
