import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Sessions } from '../../sessions/index.ts'
import { linksTo } from '../operation-links.ts'
import { guardedResponses } from '../problem.ts'

const workerSchema = Type.Object({
  id: Type.String(),
  draining: Type.Boolean({ description: 'It takes no new sessions' }),
  sessions: Type.Integer({ description: 'Sessions that it serves, or that move to it' }),
  reservedBytes: Type.Integer({ description: 'Device memory that they have reserved' }),
  capacityBytes: Type.Integer({ description: 'Device memory that there is for sessions' }),
  device: Type.String(),
  moved: Type.Object(
    {
      sessions: Type.Integer(),
      longestStallMs: Type.Integer({ description: 'For how long one stood still at most' })
    },
    { description: 'Sessions that it has given to others, up to half a second ago' }
  ),
  pace: Type.Object(
    {
      framesPerSecond: Type.Number({ description: 'Depth maps' }),
      latencyMs: Type.Object(
        { p50: Type.Number(), p99: Type.Number() },
        { description: 'From the arrival of a frame at the worker to its depth map; 0 where there was none' }
      ),
      parkedSessions: Type.Integer({ description: 'Sessions without device memory, now' })
    },
    { description: 'How its frames fared in the last ten seconds' }
  )
})

const share = (description: string) => Type.Number({ minimum: 0, description })

const planSchema = Type.Object({
  moves: Type.Array(
    Type.Object({
      session: Type.String(),
      model: Type.String(),
      from: Type.String(),
      to: Type.String(),
      bytes: Type.Integer({ description: 'Device memory that it has reserved' }),
      fromShare: share('Of the device memory of its worker, 0 to 1, what is reserved before it goes'),
      toShare: share(
        'The same of the other worker: it goes because that is emptier, and still is not fuller afterwards'
      )
    }),
    { description: 'In the order in which they would go' }
  ),
  workers: Type.Array(
    Type.Object({
      id: Type.String(),
      draining: Type.Boolean(),
      sessions: Type.Integer(),
      sessionsAfter: Type.Integer(),
      share: share('Of its device memory, 0 to 1, what is reserved'),
      shareAfter: share('The same, when all have moved')
    })
  )
})

export const workerRoutes: FastifyPluginAsyncTypebox<{ sessions: Sessions }> = async (app, { sessions }) => {
  app.get(
    '/v1/workers',
    {
      config: { access: 'admin' },
      links: { 200: linksTo(['drainWorker'], '/workers/0/id') },
      schema: {
        tags: ['workers'],
        operationId: 'listWorkers',
        summary: 'List the workers',
        description: 'Those that live and share a Redis with this gateway, in the order of their ids.',
        response: {
          200: {
            description: 'The workers',
            ...Type.Object({ workers: Type.Array(workerSchema) })
          },
          ...guardedResponses('STORE_UNAVAILABLE')
        }
      }
    },
    async () => ({ workers: await sessions.workers() })
  )

  app.post(
    '/v1/workers/:id/drain',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['workers'],
        operationId: 'drainWorker',
        summary: 'Empty a worker',
        description:
          'From now on it takes no new sessions, and gives those it has to others, exactly; those that no other can take ' +
          'stay until one can. It goes on running, and takes none again before it is started anew.',
        params: Type.Object({ id: Type.String({ maxLength: 128, description: 'Id of the worker' }) }),
        response: {
          204: { description: 'It was told', ...Type.Null() },
          ...guardedResponses('REQUEST_INVALID', 'WORKER_UNKNOWN', 'STORE_UNAVAILABLE')
        }
      }
    },
    async (request, reply) => {
      await sessions.drainWorker(request.params.id)
      return reply.code(204).send(null)
    }
  )

  app.get(
    '/v1/workers/rebalance',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['workers'],
        operationId: 'planRebalance',
        summary: 'Say what would move for an even load',
        description:
          'What POST would do now, and why; nothing moves. All workers give sessions at once, so other ones may go in the end, ' +
          'but as many. Parked sessions and offline clips stay where they are.',
        response: {
          200: { description: 'The moves, and the workers before and after', ...planSchema },
          ...guardedResponses('STORE_UNAVAILABLE')
        }
      }
    },
    () => sessions.rebalancePlan()
  )

  app.post(
    '/v1/workers/rebalance',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['workers'],
        operationId: 'rebalance',
        summary: 'Even the load out',
        description:
          'Fuller workers give sessions to emptier ones, one after the other, as long as that makes the load more even.',
        response: {
          204: { description: 'They were told', ...Type.Null() },
          ...guardedResponses('STORE_UNAVAILABLE')
        }
      }
    },
    async (_request, reply) => {
      await sessions.rebalance()
      return reply.code(204).send(null)
    }
  )
}
