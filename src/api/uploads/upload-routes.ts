import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { reachOf } from '../../access/index.ts'
import type { IdempotencyBook, Uploads } from '../../clips/index.ts'
import { clipRequestSchema } from '../../clips/index.ts'
import type { Config } from '../../config.ts'
import type { ErrorCode } from '../../errors.ts'
import { piecesOf } from '../body-pieces.ts'
import type { ClipQuota } from '../clips/clip-quota.ts'
import { maxKeyLength } from '../clips/once.ts'
import { commaList } from '../comma-list.ts'
import { guardedResponses } from '../problem.ts'
import { createUpload } from './create-upload.ts'
import { checkPartType, partType, speakTus, tellTus, tusVersion } from './tus.ts'
import { clipLink, tellUpload, uploadHeaders, uploadParams } from './upload-answer.ts'

export interface UploadRoutesOptions {
  uploads: Uploads
  config: Config
  idempotency: IdempotencyBook
  quota: ClipQuota
}

const requestContent = { [partType]: { schema: { type: 'string', format: 'binary' } } }
/** What is sent without it, or with another, is refused before any of this is looked at. */
const version = { 'tus-resumable': Type.Literal(tusVersion, { description: 'The version of tus' }) }

/** How a part of an upload may fail, and with the last the clip that it becomes. */
const partFaults = [
  ...(['REQUEST_INVALID', 'REQUEST_TIMEOUT', 'UPLOAD_UNKNOWN', 'UPLOAD_OFFSET', 'UPLOAD_TAKEN'] as const),
  ...(['TUS_VERSION', 'CONTENT_TYPE_UNKNOWN', 'CLIPS_BUSY', 'STORAGE_FULL', 'STORAGE_UNUSABLE'] as const),
  ...(['CLIP_INVALID', 'CLIP_TOO_LARGE', 'FRAME_TOO_LARGE', 'MODEL_UNKNOWN'] as const),
  ...(['MODEL_MODE_UNSUPPORTED', 'TOOL_MISSING', 'URL_FORBIDDEN', 'STORE_UNAVAILABLE'] as const)
] as const satisfies ErrorCode[]

/** Videos that come in several requests, by tus. */
export const uploadRoutes: FastifyPluginAsyncTypebox<UploadRoutesOptions> = async (app, options) => {
  const { uploads, config, quota } = options
  const { uploadTimeoutMs: silenceMs, maxClipBytes } = config
  speakTus(app)
  // A body is bytes, whatever its label says, and is never held in memory.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  const hidden = { config: { access: 'everybody' }, schema: { hide: true } } as const
  app.options('/v1/uploads', hidden, async (_, reply) =>
    tellTus(reply, maxClipBytes).code(204).header('allow', 'OPTIONS, POST').send()
  )

  app.post(
    '/v1/uploads',
    {
      config: { access: 'clips', requestContent },
      preValidation: async ({ query }) => {
        for (const name of ['results', 'intrinsics'] as const)
          if (query[name] !== undefined) Object.assign(query, { [name]: commaList(query[name]) })
      },
      schema: {
        tags: ['clips'],
        operationId: 'createUpload',
        summary: 'Begin a video that can be resumed',
        description:
          'By tus 1.0.0 (creation, creation-with-upload, expiration, termination): any client of it can be pointed here, and ' +
          'OPTIONS tells what it may ask. What is wanted of the clip stands in the query, or by the same names in ' +
          'Upload-Metadata. The body may be the beginning of the video, or all of it. With its last byte the upload becomes ' +
          'a clip, which has its id.',
        querystring: clipRequestSchema,
        headers: Type.Object({
          ...version,
          'upload-length': Type.Integer({ minimum: 1, description: 'Bytes of the whole video' }),
          'upload-metadata': Type.Optional(
            Type.String({
              maxLength: 4096,
              description:
                'Parameters of the query, their values in base64; names and types of files are not looked at'
            })
          ),
          'idempotency-key': Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: maxKeyLength,
              description:
                'Made up by the client, one for each upload: the request can then be sent again, and has the same upload for ' +
                'a day. With another length or other wishes it is refused'
            })
          )
        }),
        response: {
          201: {
            description: 'Begun, or whole if all of it was sent',
            headers: {
              Location: { type: 'string', description: 'Where it goes on, relative' },
              ...uploadHeaders
            },
            ...Type.Null()
          },
          ...guardedResponses(...partFaults, 'IDEMPOTENCY_PENDING', 'IDEMPOTENCY_KEY_REUSED')
        }
      }
    },
    async (request, reply) => {
      const { headers } = request
      const isPart = headers['content-type'] !== undefined
      if (isPart) checkPartType(request)
      const wish = {
        length: headers['upload-length'],
        metadata: headers['upload-metadata'] ?? null,
        idempotencyKey: headers['idempotency-key']
      }
      const created = await createUpload(request, wish, options)
      // The same request before may have brought some of it.
      const upload = isPart && created.offset === 0 ? await append(request, created.id, 0) : created
      reply.code(201).header('location', `uploads/${upload.id}`)
      closeUnread(request, tellUpload(reply, upload, 'uploads/'))
      return reply.send(null)
    }
  )

  app.head(
    '/v1/uploads/:id',
    {
      config: { access: 'clips', swagger: { exposeHeadRoute: true } },
      schema: {
        tags: ['clips'],
        operationId: 'getUpload',
        summary: 'Where an upload stands',
        description:
          'As long as its clip is not made the last byte counts as missing, so that whoever sends it tries that again.',
        params: uploadParams,
        headers: Type.Object(version),
        response: {
          200: {
            description: 'Where to go on',
            headers: {
              ...uploadHeaders,
              'Upload-Length': { type: 'integer', description: 'Bytes of the whole video' },
              'Upload-Metadata': { type: 'string', description: 'As it was sent' }
            },
            ...Type.Null()
          },
          ...guardedResponses('REQUEST_INVALID', 'UPLOAD_UNKNOWN', 'TUS_VERSION')
        }
      }
    },
    async ({ caller, params }, reply) => {
      const upload = await uploads.get(params.id, reachOf(caller))
      reply.header('upload-length', upload.length)
      if (upload.metadata !== null) reply.header('upload-metadata', upload.metadata)
      return tellUpload(reply, upload, '').send(null)
    }
  )

  const patchOptions = {
    config: { access: 'clips', requestContent },
    schema: {
      tags: ['clips'],
      operationId: 'continueUpload',
      summary: 'Send more of an upload',
      description:
        'What comes is kept as it comes, however the request ends. The last byte makes the clip; Location and ' +
        'X-Leadline-Clip have its address. When the time of a request is nearly up it is answered with what is here. A ' +
        'newer request ends an older one at the same gateway.',
      params: uploadParams,
      headers: Type.Object({
        ...version,
        'upload-offset': Type.Integer({ minimum: 0, description: 'Where the body begins: as HEAD says' })
      }),
      response: {
        204: {
          description: 'Taken',
          headers: {
            Location: { type: 'string', description: 'Of the clip, if it is one now' },
            ...uploadHeaders
          },
          ...Type.Null()
        },
        ...guardedResponses(...partFaults)
      }
    }
  } as const
  app.patch('/v1/uploads/:id', patchOptions, async (request, reply) => {
    checkPartType(request)
    const { id } = request.params
    const upload = await append(request, id, request.headers['upload-offset'])
    if (upload.isClip) reply.header('location', clipLink(upload, ''))
    closeUnread(request, tellUpload(reply, upload, ''))
    return reply.code(204).send(null)
  })

  app.delete(
    '/v1/uploads/:id',
    {
      config: { access: 'clips' },
      schema: {
        tags: ['clips'],
        operationId: 'deleteUpload',
        summary: 'Give up an upload',
        description: 'What came of it is deleted. A clip that it became stays.',
        params: uploadParams,
        headers: Type.Object(version),
        response: {
          204: { description: 'Deleted', ...Type.Null() },
          ...guardedResponses('REQUEST_INVALID', 'UPLOAD_UNKNOWN', 'TUS_VERSION')
        }
      }
    },
    async ({ caller, params }, reply) => {
      await uploads.remove(params.id, reachOf(caller))
      return reply.code(204).send(null)
    }
  )

  function append(request: FastifyRequest, id: string, offset: number) {
    const { caller } = request
    const body = (request.body as Readable | undefined) ?? Readable.from([])
    const { maxClipFrames: maxFrames } = quota.sizeFor(caller)
    return uploads.append(id, reachOf(caller), { offset, pieces: piecesOf(body, silenceMs), maxFrames })
  }
}

/** A client that is answered before it has sent all is to begin anew, over another connection. */
function closeUnread({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (!raw.complete) reply.header('connection', 'close')
}
