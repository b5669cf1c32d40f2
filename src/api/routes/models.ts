import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { modelOfferSchema } from '../../session.ts'
import type { Sessions } from '../../sessions/index.ts'
import { guardedResponses } from '../problem.ts'

export const modelRoutes: FastifyPluginAsyncTypebox<{ sessions: Sessions }> = async (app, { sessions }) => {
  app.get(
    '/v1/models',
    {
      config: { access: 'anyKey' },
      schema: {
        tags: ['service'],
        operationId: 'listModels',
        summary: 'List the models',
        description: 'Every model that some live worker serves, with its licence and what it can do.',
        response: {
          200: {
            description: 'The models, by name',
            ...Type.Object({ models: Type.Array(modelOfferSchema) })
          },
          ...guardedResponses('STORE_UNAVAILABLE')
        }
      }
    },
    async () => ({ models: await sessions.models() })
  )
}
