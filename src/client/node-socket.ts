import WebSocket from 'ws'
import { subprotocol } from '../protocol.ts'
import type { ClientSocket } from './client-socket.ts'

/** A WebSocket for Node before 22, which has none of its own. Payloads are compressed already. */
export function nodeSocket(url: URL): ClientSocket {
  return new WebSocket(url, subprotocol, { perMessageDeflate: false })
}
