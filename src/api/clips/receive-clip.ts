import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { ClipRequest, SaveLimits } from '../../clips/index.ts'
import { saveUpload } from '../../clips/index.ts'
import type { BodyPieces } from '../body-pieces.ts'
import { piecesOf } from '../body-pieces.ts'
import { readForm } from '../form.ts'

export interface ClipLimits extends SaveLimits {
  /** How long nothing may come. */
  uploadTimeoutMs: number
}

/**
 * The video to `filePath`, as it comes, from a body or a form; what is wanted of it from the query, and from the form.
 * Throws CLIP_INVALID, CLIP_TOO_LARGE, REQUEST_INVALID, REQUEST_TIMEOUT, STORAGE_FULL.
 */
export async function receiveClip(
  request: FastifyRequest,
  filePath: string,
  { uploadTimeoutMs: silenceMs, ...limits }: ClipLimits
): Promise<ClipRequest> {
  const take = (pieces: BodyPieces) => saveUpload(pieces, filePath, limits)
  if (request.isMultipart())
    return readForm<ClipRequest>(request, { file: 'video', lists: ['results'], silenceMs, take })
  await take(piecesOf((request.body as Readable | undefined) ?? Readable.from([]), silenceMs))
  return request.query as ClipRequest
}
