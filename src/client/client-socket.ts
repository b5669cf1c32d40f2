import { LeadlineError } from '../errors.ts'
import { subprotocol, ticketPrefix } from '../wire/control-text.ts'
import { nodeSocket } from './node-socket.ts'
import type { ClientSocket } from './socket.ts'

/** What a connection shows beside its address. */
export interface Credentials {
  /** `lk_…`. A browser cannot show it, and should not have it. */
  key?: string
  /** Good for one connection: the way of a browser. See `fetchTicket`. */
  ticket?: string
  /** Of the handshake, for whoever is in front of the server. A browser cannot set any. */
  headers?: Record<string, string>
}

/**
 * Connect. Throws what the server refuses the handshake with, CONNECTION_LOST when there is nobody, ANSWER_UNEXPECTED when
 * it is somebody else, and the signal's reason once it is aborted. A browser hides all but CONNECTION_LOST.
 */
export async function openSocket(
  url: URL,
  { key, ticket, headers: others = {} }: Credentials,
  signal: AbortSignal
): Promise<ClientSocket> {
  const headers = key === undefined ? others : { ...others, authorization: `Bearer ${key}` }
  const offered = ticket === undefined ? [subprotocol] : [subprotocol, `${ticketPrefix}${ticket}`]
  const { socket, refusal } = isNode()
    ? await nodeSocket(url, offered, headers)
    : browserSocket(url, offered, headers)
  socket.binaryType = 'arraybuffer'
  await new Promise<void>((resolve, reject) => {
    let reason = ''
    const onAbort = () => socket.close()
    socket.addEventListener('open', () => resolve())
    // Only Node says why; "close" always follows.
    socket.addEventListener(
      'error',
      (event) => (reason = 'message' in event ? `: ${String(event.message)}` : '')
    )
    socket.addEventListener('close', () => {
      signal.removeEventListener('abort', onAbort)
      reject(signal.aborted ? signal.reason : (refusal() ?? unreachable(url, reason)))
    })
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    socket.addEventListener('open', () => signal.removeEventListener('abort', onAbort))
  })
  return socket
}

function browserSocket(url: URL, offered: string[], headers: Record<string, string>) {
  const [name] = Object.keys(headers)
  if (name !== undefined) {
    const detail = `A browser cannot send the header "${name}" with a WebSocket; give a "ticket" in place of a key`
    throw new LeadlineError('REQUEST_INVALID', detail)
  }
  return { socket: new WebSocket(url, offered) as ClientSocket, refusal: () => null }
}

/** Node has a WebSocket of its own from 22 on, but it keeps to itself why it cannot connect; the `ws` package tells. */
function isNode(): boolean {
  return typeof process === 'object' && typeof process.versions?.node === 'string'
}

function unreachable(url: URL, reason: string): LeadlineError {
  return new LeadlineError(
    'CONNECTION_LOST',
    `${url.protocol}//${url.host} cannot be reached${reason}; is the server running?`
  )
}
