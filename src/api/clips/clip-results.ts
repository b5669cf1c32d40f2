import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { reachOf } from '../../access/index.ts'
import type { Clips } from '../../clips/index.ts'
import { resultFiles, resultNameSchema } from '../../clips/index.ts'
import { guardedResponses } from '../problem.ts'
import { sendFile } from '../send-file.ts'
import { clipParams } from './clip-document.ts'

const resultParams = Type.Object({ ...clipParams.properties, name: resultNameSchema })
const binary = { schema: { type: 'string', format: 'binary' } }
const resultContent = Object.fromEntries(
  Object.values(resultFiles).map(({ mediaType }) => [mediaType, binary])
)

/** What a clip became. */
export const clipResultRoute: FastifyPluginAsyncTypebox<{ clips: Clips }> = async (app, { clips }) => {
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
      const filePath = await clips.resultPath(id, name, reachOf(request.caller))
      return sendFile({ filePath, mediaType, name: file }, request, reply)
    }
  )
}
