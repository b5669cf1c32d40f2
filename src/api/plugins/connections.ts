import type { FastifyInstance } from 'fastify'

/** Bound the connections of a server. Node closes one more without an answer; the log tells of the first in a row. */
export function boundConnections(app: FastifyInstance, maxConnections: number): void {
  let isTold = false
  app.server.maxConnections = maxConnections
  app.server.on('connection', () => void (isTold = false))
  app.server.on('drop', () => {
    if (!isTold) app.log.warn({ maxConnections }, 'too many connections; see LEADLINE_MAX_CONNECTIONS')
    isTold = true
  })
}
