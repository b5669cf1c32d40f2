import { LeadlineError } from '../errors.ts'
import { subprotocol } from '../protocol.ts'

/** What the stream asks of a WebSocket; the browser's, Node's and the `ws` package's have it. */
export interface ClientSocket {
  binaryType: string
  /** Bytes handed over that the operating system has not taken yet. */
  readonly bufferedAmount: number
  send(message: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: (event: object) => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
}

/** Connect. Throws CONNECTION_LOST when there is nobody or the server refuses. */
export async function openSocket(url: URL): Promise<ClientSocket> {
  const socket: ClientSocket =
    typeof WebSocket === 'function'
      ? new WebSocket(url, subprotocol)
      : (await import('./node-socket.ts')).nodeSocket(url)
  socket.binaryType = 'arraybuffer'
  await new Promise<void>((resolve, reject) => {
    let reason = ''
    socket.addEventListener('open', () => resolve())
    // Node says why in the event, a browser keeps it to itself; "close" always follows.
    socket.addEventListener(
      'error',
      (event) => (reason = 'message' in event ? `: ${String(event.message)}` : '')
    )
    socket.addEventListener('close', () => reject(unreachable(url, reason)))
  })
  return socket
}

function unreachable(url: URL, reason: string): LeadlineError {
  return new LeadlineError(
    'CONNECTION_LOST',
    `${url.protocol}//${url.host} cannot be reached${reason}; is the server running?`
  )
}
