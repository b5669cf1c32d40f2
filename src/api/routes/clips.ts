import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Static } from 'typebox'
import Type from 'typebox'
import { ownerOf, reachOf } from '../../access/index.ts'
import type { Config } from '../../config.ts'
import type { LeadlineError } from '../../errors.ts'
import type { Sessions } from '../../sessions/index.ts'
import type { Clip } from '../../clips/index.ts'
import {
  clipRequestSchema,
  clipSchema,
  clipTooLarge,
  openClips,
  resultFiles,
  resultNameSchema
} from '../../clips/index.ts'
import type { Failures } from '../failures.ts'
import { commaList } from '../comma-list.ts'
import { checkDeclaredLength } from '../declared-length.ts'
import { guardedResponses } from '../problem.ts'
import { receiveClip } from '../receive-clip.ts'
import { sendFile } from '../send-file.ts'

const clipParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the clip' }) })
const resultParams = Type.Object({ ...clipParams.properties, name: resultNameSchema })

const linksSchema = Type.Object(
  {
    self: Type.String(),
    results: Type.Record(Type.String(), Type.String(), {
      description: 'Result name to link; empty until done'
    })
  },
  { description: 'Relative to the address that gave this document (RFC 3986)' }
)
const clipResponse = Type.Object({ ...clipSchema.properties, links: linksSchema })

const binary = { schema: { type: 'string', format: 'binary' } }
const resultContent = { 'video/mp4': binary, 'application/zip': binary }
const requestContent = {
  'video/mp4': binary,
  'application/octet-stream': binary,
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['video'],
      additionalProperties: false,
      properties: { video: binary.schema, ...clipRequestSchema.properties }
    }
  }
}

export interface ClipRoutesOptions {
  config: Config
  failures: Failures
  sessions: Sessions
}

export const clipRoutes: FastifyPluginAsyncTypebox<ClipRoutesOptions> = async (app, options) => {
  const { config, failures, sessions } = options
  const tellFailure = (failure: LeadlineError, clip: string) => {
    const { code, title, detail } = failures.tell(failure, app.log.child({ clip }))
    return { code, title, detail }
  }
  const { clips, close, release } = await openClips({ config, sessions, tellFailure, log: app.log })
  app.addHook('preClose', close)
  app.addHook('onClose', release)
  // A body is a video, whatever its label says, and is never held in memory.
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.post(
    '/v1/clips',
    {
      config: { access: 'clips', requestContent },
      onRequest: async (request) => checkDeclaredLength(request, config.maxClipBytes, clipTooLarge),
      preValidation: async ({ query }) => {
        if (query.results !== undefined) Object.assign(query, { results: commaList(query.results) })
      },
      schema: {
        tags: ['clips'],
        operationId: 'createClip',
        summary: 'Depth of a video',
        description:
          'Send a video as the body, with what is wanted in the query, or a form with the fields of the query ' +
          'and the file "video". A parameter is in the one or the other, not in both. Clips run one at a time on each ' +
          'gateway, owners by turns; ask for the state with links.self. ' +
          'Its bytes, frames and room on the disk have limits, which a refusal names.',
        querystring: clipRequestSchema,
        response: {
          202: {
            description: 'Taken; it waits or runs',
            headers: { Location: { type: 'string', description: 'As links.self' } },
            ...clipResponse
          },
          ...guardedResponses(
            ...([
              'REQUEST_INVALID',
              'REQUEST_TIMEOUT',
              'MODEL_UNKNOWN',
              'MODEL_MODE_UNSUPPORTED',
              'CLIP_TOO_LARGE',
              'FRAME_TOO_LARGE',
              'CLIP_INVALID'
            ] as const),
            ...([
              'TOOL_MISSING',
              'CLIPS_BUSY',
              'STORAGE_FULL',
              'STORAGE_UNUSABLE',
              'STORE_UNAVAILABLE'
            ] as const)
          )
        }
      }
    },
    async (request, reply) => {
      const clip = await clips.add(ownerOf(request.caller), (filePath, room) =>
        receiveClip(request, filePath, { ...config, room })
      )
      const answer = withLinks(clip, 'clips/')
      return reply.code(202).header('location', answer.links.self).send(answer)
    }
  )

  app.get(
    '/v1/clips/:id',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['clips'],
        operationId: 'getClip',
        summary: 'State of a clip',
        description:
          'queued, running with its progress, done with links to its results, or failed with the reason.',
        params: clipParams,
        response: {
          200: { description: 'The clip', ...clipResponse },
          ...guardedResponses('REQUEST_INVALID', 'CLIP_UNKNOWN')
        }
      }
    },
    async (request) => withLinks(await clips.get(request.params.id, reachOf(request.caller)), '')
  )

  app.get(
    '/v1/clips/:id/results/:name',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['clips'],
        operationId: 'getClipResult',
        summary: 'A result of a clip',
        description:
          'The file, or the part of it that a Range header with one range asks for. If-None-Match, If-Range and their ' +
          'like are heeded.',
        params: resultParams,
        response: {
          200: { description: 'The file', content: resultContent },
          206: { description: 'A part of the file', content: resultContent },
          304: { description: 'The file is the one that the client has', ...Type.Null() },
          ...guardedResponses(
            ...(['REQUEST_INVALID', 'CLIP_UNKNOWN', 'CLIP_NOT_READY', 'CLIP_FAILED'] as const),
            ...(['PRECONDITION_FAILED', 'RANGE_UNSATISFIABLE'] as const)
          )
        }
      }
    },
    async (request, reply) => {
      const { id, name } = request.params
      const { mediaType, file } = resultFiles[name]
      return sendFile(
        { filePath: await clips.resultPath(id, name, reachOf(request.caller)), mediaType, name: file },
        request,
        reply
      )
    }
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
          ...guardedResponses('REQUEST_INVALID', 'CLIP_UNKNOWN', 'STORAGE_UNUSABLE')
        }
      }
    },
    async (request, reply) => {
      await clips.remove(request.params.id, reachOf(request.caller))
      return reply.code(204).send(null)
    }
  )
}

/** Relative to the address of the document they stand in, so that they hold behind any proxy: `folder` is the clips' there. */
function withLinks(clip: Clip, folder: '' | 'clips/'): Clip & { links: Static<typeof linksSchema> } {
  const self = `${folder}${clip.id}`
  const names = clip.state === 'done' ? clip.results : []
  const results = Object.fromEntries(names.map((name) => [name, `${self}/results/${name}`]))
  return { ...clip, links: { self, results } }
}
