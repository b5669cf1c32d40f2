import type { FastifyBaseLogger } from 'fastify'
import type { SessionHandle } from '../../sessions/index.ts'

/** What becomes of a session whose socket ends. */
export type Farewell = 'close' | 'detach'

/** Never rejects. */
export async function leaveSession(
  session: SessionHandle,
  farewell: Farewell,
  log: FastifyBaseLogger
): Promise<void> {
  try {
    await session[farewell]()
  } catch (error) {
    log.warn({ err: error }, `session could not be left: ${farewell}`)
  }
}
