import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import Type from 'typebox'
import { reachOf } from '../../access/index.ts'
import { modes } from '../../session.ts'
import type { ListedSession, Sessions } from '../../sessions/index.ts'
import { sessionStates } from '../../sessions/index.ts'
import { linksTo } from '../operation-links.ts'
import { guardedResponses } from '../problem.ts'

const time = (description: string) => Type.String({ format: 'date-time', description })

const sessionSchema = Type.Object({
  id: Type.String(),
  state: Type.Enum(sessionStates, {
    description:
      'opening; attached: a socket has it; detached: kept for its client; moving to another worker; parked: its state ' +
      'waits in host memory; leaving: it is over, its memory not free yet; lost: its worker is gone'
  }),
  model: Type.String(),
  mode: Type.Enum(modes),
  worker: Type.String({ description: 'The one that serves it, or served it last' }),
  deviceBytes: Type.Integer({ description: 'Device memory that is reserved for it now' }),
  epoch: Type.Integer(),
  lastSeq: Type.Integer({
    description: 'Highest seq with an outcome, up to a second ago; -1 before the first'
  }),
  createdAt: time('When it was opened'),
  touchedAt: time('When its row changed last; of one that runs, up to a second ago')
})
const pageSchema = Type.Object({
  sessions: Type.Array(sessionSchema),
  cursor: Type.Union([Type.String(), Type.Null()], {
    description: 'Ask with it for the next page; null: this is the last'
  })
})
const pageQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ maxLength: 64, description: 'Of the page before; default: the first' })
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Most sessions of a page; default 100' })
    )
  },
  { additionalProperties: false }
)

export const sessionRoutes: FastifyPluginAsyncTypebox<{ sessions: Sessions }> = async (app, { sessions }) => {
  app.get(
    '/v1/sessions',
    {
      config: { access: 'sessions' },
      links: { 200: linksTo(['endSession'], '/sessions/0/id') },
      schema: {
        tags: ['sessions'],
        operationId: 'listSessions',
        summary: 'List the sessions',
        description:
          'Those of all gateways and workers that share a Redis, in the order of their ids: streams, and clips while they ' +
          'run. A key sees its own, one with scope admin all. What can be resumed with is not among it.',
        querystring: pageQuery,
        response: {
          200: { description: 'A page of sessions', ...pageSchema },
          ...guardedResponses('REQUEST_INVALID', 'STORE_UNAVAILABLE')
        }
      }
    },
    async ({ caller, query: { cursor = null, limit = 100 } }) => {
      const page = await sessions.list({ owner: reachOf(caller), cursor, limit })
      return { sessions: page.sessions.map(shown), cursor: page.cursor }
    }
  )

  app.delete(
    '/v1/sessions/:id',
    {
      config: { access: 'sessions' },
      schema: {
        tags: ['sessions'],
        operationId: 'endSession',
        summary: 'End a session',
        description:
          'Whichever gateway has it: its socket gets SESSION_ENDED within a second or so, and its memory is free. Nobody ' +
          'can resume it from now on. To a key that is neither its own nor has scope admin it is not there.',
        params: Type.Object({ id: Type.String({ maxLength: 64, description: 'Id of the session' }) }),
        response: {
          204: { description: 'It ends', ...Type.Null() },
          ...guardedResponses('REQUEST_INVALID', 'SESSION_UNKNOWN', 'STORE_UNAVAILABLE')
        }
      }
    },
    async (request, reply) => {
      await sessions.end(request.params.id, reachOf(request.caller))
      return reply.code(204).send(null)
    }
  )
}

function shown(session: ListedSession): Static<typeof sessionSchema> {
  const { workerId, createdAtMs, touchedAtMs, ...rest } = session
  const [createdAt, touchedAt] = [createdAtMs, touchedAtMs].map((ms) => new Date(ms).toISOString()) as [
    string,
    string
  ]
  return { ...rest, worker: workerId, createdAt, touchedAt }
}
