import path from 'node:path'
import send from '@fastify/send'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LeadlineError } from '../errors.ts'

export interface SentFile {
  filePath: string
  mediaType: string
  /** Under which a browser saves it; null: it shows it. */
  name: string | null
}

/**
 * Conditions as the sender of files has to see them: it gives weak tags and compares them anyhow. A file here never changes
 * under its name, so its tag is given as a strong one; of conditions that need one (RFC 9110, 13.1.1 and 13.1.5), a weak tag
 * meets none.
 */
function withStrongTags(request: FastifyRequest): FastifyRequest['raw'] {
  const { 'if-range': ifRange, 'if-match': ifMatch, ...headers } = request.raw.headers
  const strong = (tags: string) => tags.replace(/W\/"[^"]*"/g, '""')
  return Object.assign(Object.create(request.raw) as FastifyRequest['raw'], {
    headers: {
      ...headers,
      ...(ifRange !== undefined && { 'if-range': strong(String(ifRange)).replace(/^\s*"/, 'W/"') }),
      ...(ifMatch !== undefined && { 'if-match': strong(ifMatch) })
    }
  })
}

/**
 * Answer with a file, or with the part or the 304 that the request asks for (RFC 9110, 13 and 14).
 * Throws RANGE_UNSATISFIABLE, PRECONDITION_FAILED. @see https://github.com/fastify/send
 */
export async function sendFile(
  { filePath, mediaType, name }: SentFile,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> {
  const options = { root: path.dirname(filePath), index: false, cacheControl: false, contentType: false }
  const sent = await send(withStrongTags(request), path.basename(filePath), options)
  if (sent.type !== 'file') throw failureOf(sent, request, reply)
  reply.headers({
    ...sent.headers,
    ...strongTag(sent.headers),
    ...(name !== null && { 'content-disposition': `attachment; filename="${name}"` })
  })
  return reply.code(sent.statusCode).type(mediaType).send(sent.stream)
}

function strongTag({ ETag: tag }: { ETag?: string }): { etag?: string } {
  return tag === undefined ? {} : { etag: tag.replace(/^W\//, '') }
}

function failureOf(
  { statusCode, headers, metadata }: Exclude<Awaited<ReturnType<typeof send>>, { type: 'file' }>,
  request: FastifyRequest,
  reply: FastifyReply
): Error {
  if (statusCode === 412)
    return new LeadlineError(
      'PRECONDITION_FAILED',
      'It has another ETag or date; leave If-Match out to get it'
    )
  if (statusCode !== 416) return new Error(`the file cannot be sent: ${statusCode}`, { cause: metadata })
  const contentRange = headers['Content-Range']
  reply.header('content-range', contentRange)
  const detail = `"${request.headers.range}" lies outside the file, which has ${contentRange?.split('/')[1]} bytes`
  return new LeadlineError('RANGE_UNSATISFIABLE', detail)
}
