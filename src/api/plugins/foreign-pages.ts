import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Doors } from '../foreign-request.ts'
import { foreignFault } from '../foreign-request.ts'
import { tusHeaders } from '../uploads/tus.ts'

/** What a page may read of an answer beside its body. */
const exposedHeaders = [
  'X-Request-Id',
  'X-Leadline-Scale',
  'X-Leadline-Offset',
  'X-Leadline-Range',
  'X-Leadline-Quantity',
  'X-Leadline-Model',
  'Server-Timing',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'WWW-Authenticate',
  'Location',
  'ETag',
  'Accept-Ranges',
  'Content-Range',
  'Content-Disposition',
  'X-Leadline-Clip',
  ...tusHeaders
]

/** How long a browser may remember that a site is let in, in seconds. */
const maxAge = 600

/**
 * Refuse the pages of foreign sites, upgrades to WebSocket included, and let those of the others read what they get.
 * @see https://github.com/fastify/fastify-cors
 */
export async function guardAgainstForeignPages(app: FastifyInstance, doors: Doors): Promise<void> {
  app.addHook('onRequest', async ({ headers: { origin, host } }) => {
    const fault = foreignFault({ origin, host }, doors)
    if (fault !== null) throw fault
  })
  await app.register(cors, {
    delegator: ({ headers }, answer) =>
      answer(null, {
        // Whoever comes this far is let in.
        origin: true,
        methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
        exposedHeaders,
        maxAge,
        // Any other OPTIONS asks what a path allows, and gets that.
        preflight: headers.origin !== undefined && 'access-control-request-method' in headers
      })
  })
}
