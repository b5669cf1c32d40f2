import { LeadlineError } from '../errors.ts'
import { subprotocol } from '../protocol.ts'
import type { ClientSocket } from './socket.ts'

/**
 * Connect. Throws what the server refuses the handshake with, CONNECTION_LOST when there is nobody, ANSWER_UNEXPECTED when
 * it is somebody else, and the signal's reason once it is aborted. A browser hides all but CONNECTION_LOST.
 */
export async function openSocket(url: URL, signal?: AbortSignal): Promise<ClientSocket> {
  const { socket, refusal } = isNode()
    ? (await import('./node-socket.ts')).nodeSocket(url)
    : { socket: new WebSocket(url, subprotocol) as ClientSocket, refusal: () => null }
  socket.binaryType = 'arraybuffer'
  await new Promise<void>((resolve, reject) => {
    let reason = ''
    socket.addEventListener('open', () => resolve())
    // Only Node says why; "close" always follows.
    socket.addEventListener(
      'error',
      (event) => (reason = 'message' in event ? `: ${String(event.message)}` : '')
    )
    socket.addEventListener('close', () =>
      reject(signal?.aborted ? signal.reason : (refusal() ?? unreachable(url, reason)))
    )
    const onAbort = () => socket.close()
    signal?.addEventListener('abort', onAbort)
    socket.addEventListener('open', () => signal?.removeEventListener('abort', onAbort))
  })
  return socket
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
