import type { Readable } from 'node:stream'
import { LeadlineError } from '../errors.ts'
import { inTime } from './in-time.ts'

/** A body, or a file in one, as it comes. */
export type BodyPieces = AsyncIterable<Uint8Array>

/**
 * The pieces of a body, each within `silenceMs` of the one before. However this ends, the body is left as it is: to destroy
 * it would cut the connection before the client has its answer. Throws REQUEST_TIMEOUT, REQUEST_INVALID when it breaks off.
 */
export async function* piecesOf(body: Readable, silenceMs: number): AsyncGenerator<Uint8Array> {
  const pieces = body.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>
  try {
    for (;;) {
      const next = await inTime(pieces.next().catch(brokenOff), silenceMs)
      if (next.done === true) return
      yield next.value
    }
  } finally {
    void pieces.return?.().catch(() => undefined)
  }
}

/** All of it. `failure` is thrown as soon as there is more than `maxBytes`. */
export async function wholeBody(
  pieces: BodyPieces,
  maxBytes: number,
  failure: (maxBytes: number) => LeadlineError
): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    if (bytes > maxBytes) throw failure(maxBytes)
    all.push(piece)
  }
  return Buffer.concat(all)
}

function brokenOff(cause: unknown): never {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new LeadlineError('REQUEST_INVALID', `The body broke off (${why}); send it again`, { cause })
}
