import type { SessionConfig } from '../session.ts'
import { openSocket } from './client-socket.ts'
import type { DepthStream } from './depth-stream.ts'
import { SocketStream } from './socket-stream.ts'
import { streamUrl } from './server-url.ts'

export interface StreamOptions {
  /** `ws://host:port`, or the same with http, and any path in front of `/v1/stream`, which is added. */
  url: string | URL
  /** @default the server's defaults */
  config?: SessionConfig
  /** Ends the stream at once, whatever it is doing. */
  signal?: AbortSignal
  /** Results that may wait here unread before the server holds back. @default 8, with delivery latest 2 */
  readAhead?: number
}

/**
 * Connect and open a session. Throws what the server refuses it with, CONNECTION_LOST, ANSWER_UNEXPECTED, or the signal's
 * reason.
 */
export async function connectStream(options: StreamOptions): Promise<DepthStream> {
  const { signal, config = {} } = options
  signal?.throwIfAborted()
  const socket = await openSocket(streamUrl(options.url), signal)
  const stream = new SocketStream(socket, config, options.readAhead)
  const onAbort = () => stream.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  socket.addEventListener('close', () => signal?.removeEventListener('abort', onAbort))
  if (signal?.aborted) onAbort()
  try {
    await stream.opened
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
  return stream
}
