import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'

export const readyText = JSON.stringify({
  ...{
    type: 'ready',
    session: 's_1',
    resumeToken: 't',
    epoch: 0,
    model: 'm',
    modelDigest: 'd',
    license: 'MIT'
  },
  ...{ quantity: 'relative-inverse-depth', mode: 'ovda', cacheSize: 8 },
  limits: { maxInFlight: 2, maxFrameBytes: 1000, maxPixels: 1000, idleTimeoutMs: 1000, graceMs: 0 }
})

/** A server that does exactly what a test says, for what the real one never does. Returns its address. */
export async function scriptedServer(script: (socket: WebSocket, config: string) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  server.on('connection', (socket) => socket.once('message', (config) => script(socket, String(config))))
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}
