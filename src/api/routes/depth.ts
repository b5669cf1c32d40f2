import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import Type from 'typebox'
import { openerOf } from '../../access/index.ts'
import type { Access } from '../../access/index.ts'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import {
  colormaps,
  outputConflict,
  outputFormats,
  outputSizes,
  refineDescription
} from '../../wire/output.ts'
import { defaultPriority, steadiness } from '../../session.ts'
import type { OutputOptions } from '../../wire/output.ts'
import type { SessionOptions } from '../../session.ts'
import { checkDeclaredLength } from '../declared-length.ts'
import { imageCodec } from '../image-format.ts'
import { imageTooLarge, receiveImage } from '../image-upload.ts'
import { guardedResponses } from '../problem.ts'
import type { SessionQuota } from '../session-quota.ts'
import { clientGone } from '../client-gone.ts'
import { meteredImage } from '../metered-image.ts'
import type { SingleDepth } from '../single-depth.ts'
import { depthOfImage } from '../single-depth.ts'

/** Unlike a stream's: what looks right in a browser, as large as the image. */
const defaults: OutputOptions = {
  format: 'png16',
  size: 'source',
  refine: false,
  compression: 'none',
  colormap: 'turbo',
  quality: 85
}

const querySchema = Type.Object(
  {
    model: Type.Optional(
      Type.String({ maxLength: 128, description: 'Name of the model; default: the server’s' })
    ),
    format: Type.Optional(
      Type.Enum(outputFormats, {
        default: defaults.format,
        description:
          'png16: 16-bit grey; jpeg, webp: colours for people; u16, f16, f32: a binary message of PROTOCOL.md'
      })
    ),
    size: Type.Optional(
      Type.Enum(outputSizes, {
        default: defaults.size,
        description: 'Resolution: of the image, or of the network'
      })
    ),
    refine: Type.Optional(
      Type.Boolean({
        default: defaults.refine,
        description: `${refineDescription}; needs the size of the image`
      })
    ),
    colormap: Type.Optional(
      Type.Enum(colormaps, { default: defaults.colormap, description: 'For jpeg and webp' })
    ),
    quality: Type.Optional(
      Type.Integer({ default: defaults.quality, minimum: 1, maximum: 100, description: 'For jpeg and webp' })
    )
  },
  { additionalProperties: false }
)

type Query = Static<typeof querySchema>

/** Media type of each payload that is an image by itself. */
const imageTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp'
}

const text = (description: string) => ({ type: 'string', description })
const binary = { schema: { type: 'string', format: 'binary' } }

const depthResponse = {
  description: 'The depth map. For u16, f16 and f32 the body is one binary message: header and payload.',
  headers: {
    'X-Leadline-Scale': text('value = stored * scale + offset, for the 16-bit values of png16'),
    'X-Leadline-Offset': text('See X-Leadline-Scale'),
    'X-Leadline-Range': text(
      'Least and greatest value that a display should map to its ends, separated by a space'
    ),
    'X-Leadline-Quantity': text(
      'relative-inverse-depth: larger is nearer, without a unit; metric-depth: metres, larger is farther'
    ),
    'X-Leadline-Model': text('The model that made it'),
    'Server-Timing': text('Time in the worker’s queue and in the step, in milliseconds')
  },
  content: {
    'image/png': binary,
    'image/jpeg': binary,
    'image/webp': binary,
    'application/octet-stream': binary
  }
}

const requestContent = {
  'image/jpeg': binary,
  'image/png': binary,
  'image/webp': binary,
  'image/avif': binary,
  'image/tiff': binary,
  'image/gif': binary,
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['image'],
      additionalProperties: false,
      properties: { image: binary.schema, ...querySchema.properties }
    }
  }
}

export interface DepthRouteOptions {
  access: Access
  config: Config
  quota: SessionQuota
}

export const depthRoute: FastifyPluginAsyncTypebox<DepthRouteOptions> = async (app, options) => {
  const { access, config, quota } = options
  // Whatever the label says, the first bytes decide.
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.post(
    '/v1/depth',
    {
      config: { access: 'depth', requestContent },
      onRequest: async (request) => checkDeclaredLength(request, config.maxFrameBytes, imageTooLarge),
      schema: {
        tags: ['images'],
        operationId: 'createDepth',
        summary: 'Depth of one image',
        description:
          'Send a JPEG, PNG, WebP, AVIF, TIFF or GIF as the body, or as the field "image" of a form; of several pictures ' +
          'in it the first counts. The image is taken by itself, ' +
          'without memory of earlier ones; for video use /v1/stream or /v1/clips. It counts as a frame against the limits of ' +
          'its key: beyond a rate it is refused with LIMIT_REACHED, with RateLimit and RateLimit-Policy.',
        querystring: querySchema,
        response: {
          200: depthResponse,
          ...guardedResponses(
            ...([
              'REQUEST_INVALID',
              'REQUEST_TIMEOUT',
              'MODEL_LICENSE',
              'MODEL_UNKNOWN',
              'FRAME_TOO_LARGE',
              'FRAME_DECODE_FAILED',
              'IMAGE_INVALID'
            ] as const),
            ...([
              'MODEL_MODE_UNSUPPORTED',
              'MODEL_FILE_INVALID',
              'NO_WORKER',
              'NO_CAPACITY',
              'WORKER_LOST'
            ] as const),
            ...(['EXECUTOR_FAILED', 'STORE_UNAVAILABLE', 'DRAINING'] as const)
          )
        }
      }
    },
    async (request, reply) => {
      const { bytes, query } = await receiveImage<Query>(request, config)
      const image = { codec: imageCodec(bytes), bytes }
      const opener = openerOf(request.caller, request.ip)
      const wishes = { ...singleOptions(query, config.defaultModel), ...opener }
      const sessions = quota.of(request.caller)
      const depth = await meteredImage(access.frameFlow(request.caller), bytes, reply, () =>
        depthOfImage(sessions, wishes, image, clientGone(reply))
      )
      return send(reply, depth)
    }
  )
}

function singleOptions(query: Query, defaultModel: string): SessionOptions {
  const { model = defaultModel, ...output } = query
  const alone = {
    mode: 'single',
    cacheSize: null,
    delivery: 'lossless',
    priority: defaultPriority,
    ...steadiness({ sceneCut: false })
  } as const
  const wanted = { ...defaults, ...output }
  const conflict = outputConflict(wanted)
  if (conflict !== null) throw new LeadlineError('REQUEST_INVALID', `In the request, ${conflict}`)
  return { model, ...alone, output: wanted }
}

function send(reply: FastifyReply, { header, payload, message, model }: SingleDepth): FastifyReply {
  const imageType = imageTypes[header.codec]
  return reply
    .headers({
      'x-leadline-scale': header.scale,
      'x-leadline-offset': header.offset,
      'x-leadline-range': `${header.rangeMin} ${header.rangeMax}`,
      'x-leadline-quantity': header.quantity,
      'x-leadline-model': model,
      'server-timing': `queue;dur=${header.queueUs / 1000}, compute;dur=${header.computeUs / 1000}`
    })
    .type(imageType ?? 'application/octet-stream')
    .send(imageType === undefined ? message : payload)
}
