import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Access } from '../../access/index.ts'
import { ticketPrefix } from '../../wire/control-text.ts'
import { keepTo } from '../keep-to.ts'
import { guardedResponses } from '../problem.ts'

const ticketSchema = Type.Object({
  ticket: Type.String({ description: 'Good for one attempt to open a stream' }),
  protocol: Type.String({
    description: `The subprotocol to offer after leadline.v1: ${ticketPrefix} and the ticket`
  }),
  expiresInMs: Type.Integer({ description: 'Within which it must be used' })
})

export const ticketRoute: FastifyPluginAsyncTypebox<{ access: Access }> = async (app, { access }) => {
  app.post(
    '/v1/tickets',
    {
      config: { access: 'stream' },
      schema: {
        tags: ['stream'],
        operationId: 'createTicket',
        summary: 'A ticket for a page',
        description:
          'A page cannot send a header with a WebSocket, and should not have a key. Whoever has one asks for a ticket and hands ' +
          'it to the page, which offers it as a subprotocol: it opens one stream, as that of the key, with its limits.',
        response: { 201: { description: 'The ticket', ...ticketSchema }, ...guardedResponses() }
      }
    },
    async ({ caller }, reply) => {
      keepTo(await access.countTicket(caller), 'tickets', reply)
      const { value: ticket, ttlMs: expiresInMs } = await access.issueTicket(caller)
      reply.code(201).header('cache-control', 'no-store')
      return { ticket, protocol: `${ticketPrefix}${ticket}`, expiresInMs }
    }
  )
}
