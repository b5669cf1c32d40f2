import type { IncomingHttpHeaders } from 'node:http'

/** Of the handshake of a WebSocket, in the order of the client. */
export function offeredSubprotocols(headers: IncomingHttpHeaders): string[] {
  return headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? []
}
