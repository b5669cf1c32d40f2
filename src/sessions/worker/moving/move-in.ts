import { setTimeout as wait } from 'node:timers/promises'
import { asLeadlineError } from '../../../errors.ts'
import type { MovingSession, WorkerLink } from '../../link.ts'
import type { Log } from '../../log.ts'
import type { ServedSession } from '../served-session.ts'
import type { ReserveOutcome, SessionStore, Settlement } from '../../session-store.ts'

/** How long to wait before the store is asked again that could not be. */
const retryMs = 250

interface MoveInOptions {
  store: SessionStore
  link: WorkerLink
  log: Log
}

/**
 * Take a session that another worker hands over: it is this one's from when its latent cache is whole here and the row says
 * so. Never rejects. `served` is null where no session can be taken, or this one is here still.
 */
export async function moveIn(
  { from, moving }: { from: string; moving: MovingSession },
  served: ServedSession | null,
  { store, link, log }: MoveInOptions
): Promise<void> {
  const { sessionId, token } = moving
  const cameAtMs = performance.now()
  let openedMs = 0
  // Whether it is this one's has to be known before anything else is done with it.
  const commit = async (settled: Settlement): Promise<ReserveOutcome> => {
    const asked = await store
      .commitMove(sessionId, token, settled)
      .catch((error: unknown) => asLeadlineError(error))
    if ('kind' in asked) return asked.kind === 'moved' ? 'changed' : asked.kind
    if (served?.ending) throw asked
    await wait(retryMs)
    return commit(settled)
  }
  const whole = (settled: Settlement): Promise<ReserveOutcome> => {
    openedMs = Math.round(performance.now() - cameAtMs)
    return commit(settled)
  }
  const isHere = served !== null && (await served.moveIn(moving, whole))
  const tookMs = Math.round(performance.now() - cameAtMs)
  if (isHere) log.info({ sessionId, from, openedMs, tookMs }, 'a session moved here')
  await link
    .tell(from, { type: 'movedIn', sessionId, token, isHere })
    .catch((error: unknown) => log.debug({ err: error, sessionId }, 'the other worker has to ask the row'))
}
