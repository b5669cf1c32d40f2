import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { reachOf } from '../../access/index.ts'
import type { Clips } from '../../clips/index.ts'
import { clipStates } from '../../clips/index.ts'
import { commaList } from '../comma-list.ts'
import { linksTo } from '../operation-links.ts'
import { guardedResponses } from '../problem.ts'
import { clipOperations, clipParams, clipResponse, withLinks } from './clip-document.ts'

const defaultLimit = 50
const pageQuery = Type.Object(
  {
    state: Type.Optional(
      Type.Array(Type.Enum(clipStates), {
        minItems: 1,
        description: 'Several times, or with commas between; default: all'
      })
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 80, description: 'Of the page before; default: the first' })
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 200, description: `Most clips of a page; default ${defaultLimit}` })
    )
  },
  { additionalProperties: false }
)
const pageSchema = Type.Object({
  clips: Type.Array(clipResponse),
  cursor: Type.Union([Type.String(), Type.Null()], {
    description: 'Ask with it for the next page; null: this is the last'
  })
})

/** How clips stand, and their end. */
export const clipStateRoutes: FastifyPluginAsyncTypebox<{ clips: Clips }> = async (app, { clips }) => {
  app.get(
    '/v1/clips',
    {
      config: { access: 'clips' },
      links: { 200: linksTo(clipOperations, '/clips/0/id') },
      preValidation: async ({ query }) => {
        if (query.state !== undefined) Object.assign(query, { state: commaList(query.state) })
      },
      schema: {
        tags: ['clips'],
        operationId: 'listClips',
        summary: 'List the clips',
        description:
          'Newest first, of all gateways that share a Redis. A key sees its own, one with scope admin all.',
        querystring: pageQuery,
        response: {
          200: { description: 'A page of clips', ...pageSchema },
          ...guardedResponses('REQUEST_INVALID')
        }
      }
    },
    async ({ caller, query: { state: states = [], cursor = null, limit = defaultLimit } }) => {
      const page = await clips.list({ owner: reachOf(caller), states, cursor, limit })
      return { clips: page.clips.map((clip) => withLinks(clip, 'clips/')), cursor: page.cursor }
    }
  )

  app.get(
    '/v1/clips/:id',
    {
      config: { access: 'clips' },
      links: {
        200: {
          getClipResult: {
            operationId: 'getClipResult',
            parameters: { id: '$response.body#/id', name: '$response.body#/results/0' }
          }
        }
      },
      schema: {
        tags: ['clips'],
        operationId: 'getClip',
        summary: 'State of a clip',
        description:
          'queued, running with its progress, done with links to its results, failed with the reason, or cancelled.',
        params: clipParams,
        response: {
          200: { description: 'The clip', ...clipResponse },
          ...guardedResponses('REQUEST_INVALID', 'CLIP_UNKNOWN')
        }
      }
    },
    async ({ caller, params }) => withLinks(await clips.get(params.id, reachOf(caller)), '')
  )

  app.post(
    '/v1/clips/:id/cancel',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['clips'],
        operationId: 'cancelClip',
        summary: 'Cancel a clip',
        description:
          'It stops within a second, wherever it runs; its video and depth are deleted, its document stays. One that has ' +
          'ended stays as it is.',
        params: clipParams,
        response: {
          200: { description: 'The clip as it is now', ...clipResponse },
          ...guardedResponses('REQUEST_INVALID', 'CLIP_UNKNOWN')
        }
      }
    },
    async ({ caller, params }) => withLinks(await clips.cancel(params.id, reachOf(caller)), '../')
  )

  app.delete(
    '/v1/clips/:id',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['clips'],
        operationId: 'deleteClip',
        summary: 'Delete a clip',
        description: 'Stops it if it runs, and deletes its results.',
        params: clipParams,
        response: {
          204: { description: 'Deleted', ...Type.Null() },
          ...guardedResponses('REQUEST_INVALID', 'CLIP_UNKNOWN')
        }
      }
    },
    async ({ caller, params }, reply) => {
      await clips.remove(params.id, reachOf(caller))
      return reply.code(204).send(null)
    }
  )
}
