import { LeadlineError } from '../errors.ts'
import { subprotocol } from '../control-text.ts'
import { nodeSocket } from './node-socket.ts'
import type { ClientSocket } from './socket.ts'

/** What a connection brings beside its address: a key, a ticket. */
export interface Credentials {
  /** Of the handshake. A browser cannot set any. */
  headers?: Record<string, string>
  /** Offered after `leadline.v1`: the way of a browser. */
  protocols?: readonly string[]
}

/**
 * Connect. Throws what the server refuses the handshake with, CONNECTION_LOST when there is nobody, ANSWER_UNEXPECTED when
 * it is somebody else, and the signal's reason once it is aborted. A browser hides all but CONNECTION_LOST.
 */
export async function openSocket(
  url: URL,
  { headers = {}, protocols = [] }: Credentials,
  signal: AbortSignal
): Promise<ClientSocket> {
  const offered = [subprotocol, ...protocols]
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
    const detail = `A browser cannot send the header "${name}" with a WebSocket; offer a ticket in "protocols"`
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
