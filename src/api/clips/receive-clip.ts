import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { ClipRequest } from '../../clips/index.ts'
import type { BodyPieces } from '../body-pieces.ts'
import { piecesOf } from '../body-pieces.ts'
import { readForm } from '../form.ts'

export interface ReceivedClip {
  wishes: ClipRequest
  /** SHA-256 of the video and of what is wanted of it. */
  fingerprint: string
}

/**
 * The video to `take`, as it comes, from a body or a form; what is wanted of it from the query, and from the form. Nothing
 * may come for `silenceMs` at most. Throws REQUEST_INVALID, REQUEST_TIMEOUT, and what `take` throws.
 */
export async function receiveClip(
  request: FastifyRequest,
  silenceMs: number,
  take: (pieces: BodyPieces) => Promise<void>
): Promise<ReceivedClip> {
  const hash = createHash('sha256')
  const wishes = await readWishes(request, silenceMs, (pieces) => take(hashed(pieces, hash)))
  const inOrder = Object.entries(wishes).sort(([a], [b]) => a.localeCompare(b))
  return { wishes, fingerprint: hash.update(JSON.stringify(inOrder)).digest('hex') }
}

async function readWishes(
  request: FastifyRequest,
  silenceMs: number,
  take: (pieces: BodyPieces) => Promise<void>
): Promise<ClipRequest> {
  if (request.isMultipart())
    return readForm<ClipRequest>(request, { file: 'video', lists: ['results'], silenceMs, take })
  await take(piecesOf((request.body as Readable | undefined) ?? Readable.from([]), silenceMs))
  return request.query as ClipRequest
}

async function* hashed(pieces: BodyPieces, hash: Hash): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    hash.update(piece)
    yield piece
  }
}
