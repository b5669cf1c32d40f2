import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { ownerOf } from '../../access/index.ts'
import type { Clips, IdempotencyBook, ReceiveClip } from '../../clips/index.ts'
import { clipRequestSchema, clipTooLarge, fetchVideo, saveUpload } from '../../clips/index.ts'
import type { Config } from '../../config.ts'
import type { BodyPieces } from '../body-pieces.ts'
import { commaList } from '../comma-list.ts'
import { checkDeclaredLength } from '../declared-length.ts'
import { linksTo } from '../operation-links.ts'
import { guardedResponses } from '../problem.ts'
import type { ClipQuota } from './clip-quota.ts'
import { clipOperations, clipResponse, withLinks } from './clip-document.ts'
import { withWebhook } from './clip-webhook.ts'
import { maxKeyLength, once } from './once.ts'
import type { ClipSink } from './receive-clip.ts'
import { receiveClip } from './receive-clip.ts'

const binary = { schema: { type: 'string', format: 'binary' } }
const requestContent = {
  'video/mp4': binary,
  'application/octet-stream': binary,
  'application/json': {
    schema: {
      type: 'object',
      required: ['url'],
      additionalProperties: false,
      properties: { url: { type: 'string', format: 'uri' }, ...clipRequestSchema.properties }
    }
  },
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['video'],
      additionalProperties: false,
      properties: { video: binary.schema, ...clipRequestSchema.properties }
    }
  }
}

export interface CreateClipOptions {
  clips: Clips
  config: Config
  idempotency: IdempotencyBook
  quota: ClipQuota
}

/** Takes a video in. */
export const createClipRoute: FastifyPluginAsyncTypebox<CreateClipOptions> = async (app, options) => {
  const { clips, config, idempotency, quota } = options
  const { uploadTimeoutMs: silenceMs, requestTimeoutMs: totalMs, clipUrlNetworks: allowedNetworks } = config
  const fetchLimits = { silenceMs, totalMs, allowedNetworks }
  const nowhere: ClipSink = {
    silenceMs,
    async take(pieces) {
      for await (const _ of pieces);
    },
    fetch: async () => undefined
  }
  // A body is a video, whatever its label says, and is never held in memory.
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.post(
    '/v1/clips',
    {
      config: { access: 'clips', requestContent },
      links: { 202: linksTo(clipOperations, '/id') },
      onRequest: async (request) =>
        checkDeclaredLength(request, quota.sizeFor(request.caller).maxClipBytes, clipTooLarge),
      preValidation: async ({ query }) => {
        for (const name of ['results', 'intrinsics'] as const)
          if (query[name] !== undefined) Object.assign(query, { [name]: commaList(query[name]) })
      },
      schema: {
        tags: ['clips'],
        operationId: 'createClip',
        summary: 'Depth of a video',
        description:
          'Send a video as the body, with what is wanted in the query, or a form with the fields of the query ' +
          'and the file "video", or the fields and a "url" as JSON: the server fetches it from there, if that is on the ' +
          'public network, and answers when it is here. A parameter stands in one place. Clips run one at a time on each ' +
          'gateway, owners by turns; ask for the state with links.self. ' +
          'Its bytes, frames and room on the disk have limits, which a refusal names.',
        querystring: clipRequestSchema,
        headers: Type.Object({
          'idempotency-key': Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: maxKeyLength,
              description:
                'Made up by the client, one for each clip: the request can then be sent again, and has the same clip for a ' +
                'day. With another video or other wishes it is refused'
            })
          )
        }),
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
              'URL_FORBIDDEN',
              'DOWNLOAD_FAILED',
              'IDEMPOTENCY_PENDING',
              'IDEMPOTENCY_KEY_REUSED',
              'STORAGE_FULL',
              'STORAGE_UNUSABLE',
              'STORE_UNAVAILABLE'
            ] as const)
          )
        }
      }
    },
    async (request, reply) => {
      const { caller, headers } = request
      const owner = ownerOf(caller)
      const clip = await once({
        ...{ book: idempotency, key: headers['idempotency-key'], owner },
        get: (id) => clips.get(id, owner),
        read: async () => (await receiveClip(request, nowhere)).fingerprint,
        make: () => quota.within(caller, () => make(request, owner))
      })
      const answer = withLinks(clip, 'clips/')
      return reply.code(202).header('location', answer.links.self).send(answer)
    }
  )

  async function make(request: FastifyRequest, owner: string | null) {
    let fingerprint = ''
    const { maxClipBytes, maxClipFrames } = quota.sizeFor(request.caller)
    const receive: ReceiveClip = async (filePath, room) => {
      const save = (pieces: BodyPieces) => saveUpload(pieces, filePath, { maxClipBytes, room })
      const fetch = (url: string) => save(fetchVideo(url, fetchLimits))
      const received = await receiveClip(request, { silenceMs, take: save, fetch })
      fingerprint = received.fingerprint
      return withWebhook(received.wishes, request.caller)
    }
    const clip = await clips.add(owner, receive, maxClipFrames)
    return { made: clip, fingerprint }
  }
}
