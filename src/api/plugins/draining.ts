import type { FastifyInstance } from 'fastify'
import { LeadlineError } from '../../errors.ts'

export function draining(): LeadlineError {
  const detail = 'This server is shutting down; connect again to reach another'
  return new LeadlineError('DRAINING', detail, { retryAfterMs: 1000 })
}

/** What requests under way have when the app begins to close; their connections are cut then. */
const requestGraceMs = 5000

/** Who asks for these wants to know that the server leaves. */
const healthPaths = new Set(['/livez', '/readyz'])

/** From the moment the app begins to close, new requests on open connections are sent elsewhere. */
export function refuseWhileClosing(app: FastifyInstance, streams: { readonly isDraining: boolean }): void {
  let cutting: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    cutting = setTimeout(() => app.server.closeAllConnections(), requestGraceMs)
  })
  app.addHook('onClose', async () => clearTimeout(cutting))
  app.addHook('onRequest', async (request, reply) => {
    if (!streams.isDraining) return
    reply.header('connection', 'close')
    if (healthPaths.has(request.routeOptions.url ?? '')) return
    throw draining()
  })
}
