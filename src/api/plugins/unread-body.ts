import type { FastifyInstance } from 'fastify'

/** How long a client may take to notice an answer that came before its request was sent. */
const lingerMs = 5000

/**
 * After an answer that did not wait for the whole body, discard the rest for a while. To close at once would reset the
 * connection, and the client would see that instead of the answer (RFC 9112, 9.6).
 */
export function discardUnreadBodies(app: FastifyInstance): void {
  app.addHook('onResponse', async ({ raw, ws }) => {
    if (raw.complete || ws) return
    const timer = setTimeout(() => raw.destroy(), lingerMs)
    raw.once('close', () => clearTimeout(timer))
    raw.unpipe()
    raw.resume()
  })
}
