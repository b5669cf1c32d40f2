import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LeadlineError } from '../../errors.ts'

/** What of tus is spoken here. @see https://tus.io/protocols/resumable-upload */

export const tusVersion = '1.0.0'
const tusExtensions = ['creation', 'creation-with-upload', 'expiration', 'termination'] as const
export const partType = 'application/offset+octet-stream'

/** What a page may read of an answer. */
export const tusHeaders = [
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Expires'
]

/** Every answer of these routes says which version it is, and every request but OPTIONS has to. */
export function speakTus(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('tus-resumable', tusVersion)
    if (request.method === 'OPTIONS' || request.headers['tus-resumable'] === tusVersion) return
    reply.header('tus-version', tusVersion)
    const spoken = request.headers['tus-resumable']
    throw new LeadlineError(
      'TUS_VERSION',
      `Tus-Resumable is ${spoken === undefined ? 'missing' : `"${String(spoken)}"`}; send ${tusVersion}`
    )
  })
}

/** What there is to know before an upload. */
export function tellTus(reply: FastifyReply, maxBytes: number): FastifyReply {
  return reply.headers({
    'tus-version': tusVersion,
    'tus-extension': tusExtensions.join(','),
    'tus-max-size': maxBytes
  })
}

/** Throws CONTENT_TYPE_UNKNOWN. */
export function checkPartType({ headers }: FastifyRequest): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type === partType) return
  throw new LeadlineError(
    'CONTENT_TYPE_UNKNOWN',
    `The Content-Type is ${type === undefined ? 'missing' : `"${type}"`}; of a part of an upload it is ${partType}`
  )
}

/** `Upload-Metadata`: names, each with a value in base64 behind a space or none, and commas between. Throws REQUEST_INVALID. */
export function parseMetadata(header: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const pair of header.split(',').map((one) => one.trim())) {
    const [, name, value = ''] = /^([^\s,]+)(?: ([A-Za-z0-9+/]*={0,2}))?$/.exec(pair) ?? []
    if (name === undefined)
      throw invalid(`"${pair}" is not a name, a space and a value in base64; several have commas between`)
    if (values.has(name)) throw invalid(`"${name}" is there twice`)
    values.set(name, Buffer.from(value, 'base64').toString())
  }
  return values
}

function invalid(why: string): LeadlineError {
  return new LeadlineError('REQUEST_INVALID', `Upload-Metadata is not as it must be: ${why}`)
}
