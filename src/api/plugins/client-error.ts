import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { LeadlineError } from '../../errors.ts'
import type { PublicFailure } from '../failures.ts'
import { problemMediaType, problemOf } from '../problem.ts'

/** Of all headers of a request together. */
export const maxHeaderBytes = 16_384

/** What Node's HTTP parser or the handshake of a WebSocket refuses, and no route sees. */
export interface ClientError extends Error {
  code?: string
}

/** It is answered by hand, as a problem too. */
export function answerClientError(
  error: ClientError | LeadlineError,
  socket: Duplex,
  tell: (failure: LeadlineError) => PublicFailure
): void {
  const failure = error instanceof LeadlineError ? error : named(error)
  if (error.code !== 'ECONNRESET' && socket.writable) socket.write(refusal(tell(failure)))
  socket.destroy(error instanceof LeadlineError ? undefined : error)
}

function named({ code, message }: ClientError): LeadlineError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new LeadlineError(
      'HEADERS_TOO_LARGE',
      `The headers have more than ${maxHeaderBytes} bytes; send fewer or shorter ones`
    )
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new LeadlineError('REQUEST_TIMEOUT', 'The request took too long to come; send it again')
  return new LeadlineError('REQUEST_INVALID', `This is not HTTP: ${message}`)
}

function refusal(failure: PublicFailure): string {
  const problem = problemOf(failure, 'none')
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...(problem.retryAfterMs === undefined ? [] : [`retry-after: ${Math.ceil(problem.retryAfterMs / 1000)}`])
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
