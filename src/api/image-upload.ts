import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { LeadlineError } from '../errors.ts'
import type { BodyPieces } from './body-pieces.ts'
import { piecesOf, wholeBody } from './body-pieces.ts'
import { readForm } from './form.ts'
import { inTime } from './in-time.ts'

export interface ImageLimits {
  maxFrameBytes: number
  /** For all of it. */
  uploadTimeoutMs: number
}

export interface ImageUpload<Query> {
  bytes: Uint8Array
  query: Query
}

/**
 * An image, from a body or a form, and what is wanted of it from the query, and from the form. Throws FRAME_TOO_LARGE,
 * REQUEST_INVALID, REQUEST_TIMEOUT.
 */
export function receiveImage<Query extends object>(
  request: FastifyRequest,
  limits: ImageLimits
): Promise<ImageUpload<Query>> {
  return inTime(receive(request, limits), limits.uploadTimeoutMs)
}

async function receive<Query extends object>(
  request: FastifyRequest,
  { maxFrameBytes, uploadTimeoutMs: silenceMs }: ImageLimits
): Promise<ImageUpload<Query>> {
  let bytes: Uint8Array = new Uint8Array(0)
  const take = async (pieces: BodyPieces) =>
    void (bytes = await wholeBody(pieces, maxFrameBytes, imageTooLarge))
  if (request.isMultipart()) {
    const query = await readForm<Query>(request, { file: 'image', lists: [], silenceMs, take })
    return { bytes, query }
  }
  if (request.body !== undefined) await take(piecesOf(request.body as Readable, silenceMs))
  return { bytes, query: request.query as Query }
}

export function imageTooLarge(maxBytes: number): LeadlineError {
  return new LeadlineError(
    'FRAME_TOO_LARGE',
    `An image may have ${maxBytes} bytes at most; encode it smaller, or raise LEADLINE_MAX_FRAME_BYTES`
  )
}
