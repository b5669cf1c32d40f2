import fastifyWebsocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { subprotocol } from '../../protocol.ts'

export interface WebsocketOptions {
  maxFrameBytes: number
}

/** @see https://github.com/fastify/fastify-websocket */
export async function speakWebSocket(
  app: FastifyInstance,
  { maxFrameBytes }: WebsocketOptions
): Promise<void> {
  await app.register(fastifyWebsocket, {
    options: {
      maxPayload: maxFrameBytes,
      // Payloads are compressed images; deflate would cost time and fragment memory for nothing.
      perMessageDeflate: false,
      handleProtocols: () => subprotocol
    },
    // Also the guarantee that no socket is without an error listener: `ws` closes it by itself.
    errorHandler: (error, socket, request) => {
      request.log.info({ err: error }, 'socket failed')
      if (socket.readyState === socket.OPEN) socket.terminate()
    }
  })
}
