import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { ClipRequest } from '../../clips/index.ts'
import { LeadlineError } from '../../errors.ts'
import type { BodyPieces } from '../body-pieces.ts'
import { piecesOf, wholeBody } from '../body-pieces.ts'
import { readForm } from '../form.ts'
import { wishesBeside } from '../wishes.ts'

export interface ReceivedClip {
  wishes: ClipRequest
  /** SHA-256 of the video, or its address, and of what is wanted of it. */
  fingerprint: string
}

export interface ClipSink {
  /** How long nothing may come. */
  silenceMs: number
  /** The video, as it comes. */
  take: (pieces: BodyPieces) => Promise<void>
  /** Where it is to be fetched. */
  fetch: (url: string) => Promise<void>
}

/** Of a document with an address. */
const maxDocumentBytes = 65_536
const maxUrlLength = 2048

/**
 * The video of a request, or where to fetch it, and what is wanted of it: from a body and the query, from a form, or from a
 * document in JSON. Throws REQUEST_INVALID, REQUEST_TIMEOUT, and what the sink throws.
 */
export async function receiveClip(request: FastifyRequest, sink: ClipSink): Promise<ReceivedClip> {
  const hash = createHash('sha256')
  const wishes = await readWishes(request, sink, hash)
  const inOrder = Object.entries(wishes).sort(([a], [b]) => a.localeCompare(b))
  return { wishes, fingerprint: hash.update(JSON.stringify(inOrder)).digest('hex') }
}

async function readWishes(request: FastifyRequest, sink: ClipSink, hash: Hash): Promise<ClipRequest> {
  const { silenceMs, fetch } = sink
  const take = (pieces: BodyPieces) => sink.take(hashed(pieces, hash))
  if (request.isMultipart())
    return readForm<ClipRequest>(request, {
      file: 'video',
      lists: ['results', 'intrinsics'],
      silenceMs,
      take
    })
  const body = piecesOf((request.body as Readable | undefined) ?? Readable.from([]), silenceMs)
  if (request.headers['content-type']?.startsWith('application/json') === true) {
    const { url, wishes } = await readDocument(request, body)
    hash.update(url)
    await fetch(url)
    return wishes
  }
  await take(body)
  return request.query as ClipRequest
}

async function readDocument(
  request: FastifyRequest,
  body: BodyPieces
): Promise<{ url: string; wishes: ClipRequest }> {
  const bytes = await wholeBody(body, maxDocumentBytes, (most) =>
    refused(`a document with an address has ${most} bytes at most`)
  )
  const document = parsed(Buffer.from(bytes).toString())
  const { url, ...fields } = document
  if (typeof url !== 'string' || url.length > maxUrlLength)
    throw refused(
      `"url" is an address of at most ${maxUrlLength} characters; a video is sent with its own type`
    )
  return { url, wishes: wishesBeside<ClipRequest>(request, new Map(Object.entries(fields)), 'body') }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw refused('as application/json it is an object with a "url"; a video is sent with its own type')
}

async function* hashed(pieces: BodyPieces, hash: Hash): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    hash.update(piece)
    yield piece
  }
}

function refused(why: string): LeadlineError {
  return new LeadlineError('REQUEST_INVALID', `The body is not as it must be: ${why}`)
}
