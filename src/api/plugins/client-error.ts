import type { Socket } from 'node:net'
import { LeadlineError } from '../../errors.ts'
import { problemMediaType, problemOf } from '../problem.ts'

/** What Node's HTTP parser refuses never becomes a request; it is answered by hand, as a problem too. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) socket.write(refusal(error))
  socket.destroy(error)
}

function refusal({ message }: Error): string {
  const problem = problemOf(new LeadlineError('REQUEST_INVALID', `This is not HTTP: ${message}`), 'none')
  const body = JSON.stringify(problem)
  const head = [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close'
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
