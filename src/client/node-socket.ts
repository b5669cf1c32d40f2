import WebSocket from 'ws'
import { subprotocol } from '../protocol.ts'
import type { ClientSocket } from './client-socket.ts'

/** A WebSocket for Node. Payloads are compressed already, so deflate would cost time for nothing. */
export function nodeSocket(url: URL): ClientSocket {
  return new WebSocket(url, subprotocol, { perMessageDeflate: false })
}
