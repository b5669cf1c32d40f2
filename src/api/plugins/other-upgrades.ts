import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Answer a request that asks for another protocol than WebSocket as if it had not asked (RFC 9110, 7.8): some clients ask
 * for HTTP/2 with every first request, as Java's HttpClient and `curl --http2` do. Node holds any such request, and its body
 * unread, for an upgrade; so it is given to the server anew. The result, which never listens, has the "upgrade" events of
 * WebSockets.
 */
export function declineOtherUpgrades(server: Server): Server {
  const handshakes = createServer()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    const isHandshake = request.headers.upgrade?.toLowerCase() === 'websocket'
    if (isHandshake && handshakes.emit('upgrade', request, socket, rest)) return
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), rest]))
    server.emit('connection', socket)
  })
  return handshakes
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]!, rawHeaders[i + 1]!]
    if (!ofUpgrades.has(name.toLowerCase()))
      lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

const ofUpgrades = new Set(['upgrade', 'http2-settings'])

function withoutUpgrade(connection: string): string {
  const others = connection.split(',').filter((option) => !ofUpgrades.has(option.trim().toLowerCase()))
  return others.join(',').trim()
}
