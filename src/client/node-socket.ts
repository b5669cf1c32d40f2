import type { IncomingMessage } from 'node:http'
import type { LeadlineError } from '../errors.ts'
import type { ClientSocket } from './socket.ts'
import { refusalError } from './refusal.ts'

/** More of the answer to a handshake is not read. */
const maxBodyBytes = 65_536

export interface NodeSocket {
  socket: ClientSocket
  /** Why the handshake was refused; null when it was not, or there was no answer. */
  refusal(): LeadlineError | null
}

/**
 * A WebSocket for Node. Payloads are compressed already, so deflate would cost time for nothing. The library is imported here
 * and now, so that what is built for browsers does not ask for it.
 */
export async function nodeSocket(
  url: URL,
  protocols: string[],
  headers: Record<string, string>
): Promise<NodeSocket> {
  const { default: WebSocket } = await import('ws')
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false, headers })
  let refusal: LeadlineError | null = null
  ws.on('unexpected-response', (_request, response) => {
    void bodyOf(response).then((body) => {
      const { statusCode: status = 0, statusMessage: reason = '', headers } = response
      refusal = refusalError({ url, status, reason, headers, body })
      ws.terminate()
    })
  })
  return { socket: ws, refusal: () => refusal }
}

/** As much of it as comes. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk
      if (body.length > maxBodyBytes) break
    }
  } catch {
    // What came before the connection broke has to do.
  }
  return body
}
