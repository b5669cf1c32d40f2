import type { Socket } from 'node:net'
import { LeadlineError } from '../../errors.ts'
import type { PublicFailure } from '../failures.ts'
import { problemMediaType, problemOf } from '../problem.ts'

/** What Node's HTTP parser refuses never becomes a request; it is answered by hand, as a problem too. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  tell: (failure: LeadlineError) => PublicFailure
): void {
  const failure = new LeadlineError('REQUEST_INVALID', `This is not HTTP: ${error.message}`)
  if (error.code !== 'ECONNRESET' && socket.writable) socket.write(refusal(tell(failure)))
  socket.destroy(error)
}

function refusal(failure: PublicFailure): string {
  const body = JSON.stringify(problemOf(failure, 'none'))
  const head = [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close'
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
