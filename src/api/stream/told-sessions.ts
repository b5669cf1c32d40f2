import type { FastifyBaseLogger } from 'fastify'
import type { Sessions } from '../../sessions/index.ts'

/** The same sessions; the log of the stream says which one it has. */
export function toldSessions(sessions: Sessions, log: FastifyBaseLogger): Sessions {
  return {
    ...sessions,
    async open(...wish) {
      const session = await sessions.open(...wish)
      log.info({ session: session.id }, 'session opened')
      return session
    },
    async resume(...wish) {
      const session = await sessions.resume(...wish)
      log.info({ session: session.id }, 'session resumed')
      return session
    }
  }
}
