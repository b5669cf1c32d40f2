import fastifyWebsocket from '@fastify/websocket'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { LeadlineError } from '../../errors.ts'
import { subprotocol } from '../../wire/control-text.ts'
import type { ClientError } from './client-error.ts'
import { declineOtherUpgrades } from './other-upgrades.ts'

export const streamPath = '/v1/stream'

export interface WebsocketOptions {
  maxFrameBytes: number
  /** For a handshake that is none. */
  answerByHand(error: ClientError, socket: Duplex): void
}

/** @see https://github.com/fastify/fastify-websocket */
export async function speakWebSocket(
  app: FastifyInstance,
  { maxFrameBytes, answerByHand }: WebsocketOptions
): Promise<void> {
  await app.register(fastifyWebsocket, {
    options: {
      server: declineOtherUpgrades(app.server),
      maxPayload: maxFrameBytes,
      // Payloads are compressed images; deflate would cost time and fragment memory for nothing.
      perMessageDeflate: false,
      // Some thousand tiny messages fit into one piece of a socket: one a turn of the loop, or they would hold up all others.
      allowSynchronousEvents: false,
      handleProtocols: () => subprotocol
    },
    // Also the guarantee that no socket is without an error listener: `ws` closes it by itself.
    errorHandler: (error, socket, request) => {
      request.log.info({ err: error }, 'socket failed')
      if (socket.readyState === socket.OPEN) socket.terminate()
    }
  })
  app.websocketServer.on('wsClientError', answerByHand)
  app.addHook('onRequest', async ({ ws, routeOptions }) => {
    if (!ws || routeOptions.url === undefined || routeOptions.url === streamPath) return
    throw new LeadlineError(
      'ROUTE_UNKNOWN',
      `${routeOptions.url} is no WebSocket; streams are at ${streamPath}`
    )
  })
}
