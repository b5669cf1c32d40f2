import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { Upload } from '../../clips/index.ts'
import { tusVersion } from './tus.ts'

export const uploadParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'Id of the upload' })
})

/** Of an answer that says how an upload stands, for OpenAPI. */
export const uploadHeaders = {
  'Tus-Resumable': { type: 'string', description: `${tusVersion}, the version of tus` },
  'Upload-Offset': { type: 'integer', description: 'Bytes that are here and need not be sent again' },
  'Upload-Expires': {
    type: 'string',
    description: 'When the upload goes, unless more of it comes; absent once it is a clip'
  },
  'X-Leadline-Clip': {
    type: 'string',
    description: 'Address of the clip, relative to that of the request; as soon as there is one'
  }
}

/** From the address of the request to those of all uploads: `uploads/` or nothing. */
export function tellUpload(reply: FastifyReply, upload: Upload, folder: 'uploads/' | ''): FastifyReply {
  reply.headers({ 'upload-offset': upload.offset, 'cache-control': 'no-store' })
  if (upload.isClip) return reply.header('x-leadline-clip', clipLink(upload, folder))
  return reply.header('upload-expires', new Date(upload.expiresAtMs).toUTCString())
}

export function clipLink({ id }: Upload, folder: 'uploads/' | ''): string {
  return `${folder === '' ? '../' : ''}clips/${id}`
}
