import type { FastifyRequest } from 'fastify'
import type { LeadlineError } from '../errors.ts'

/** What a form may have beside its file. */
const formBytes = 65_536

/** Refuse a body by its Content-Length, before any of it is read. `failure` is thrown when it is more than `maxBytes`. */
export function checkDeclaredLength(
  request: FastifyRequest,
  maxBytes: number,
  failure: (maxBytes: number) => LeadlineError
): void {
  const isForm = request.headers['content-type']?.startsWith('multipart/') === true
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + (isForm ? formBytes : 0))
    throw failure(maxBytes)
}
