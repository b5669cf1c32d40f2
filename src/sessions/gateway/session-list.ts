import { LeadlineError } from '../../errors.ts'
import type { ListedSession, SessionList, SessionListWish } from '../sessions.ts'
import type { SessionRow, SessionStore } from '../session-store.ts'

/** Owners that a session may change in a row while it is to be ended. */
const tries = 5

export async function listSessions(store: SessionStore, wish: SessionListWish): Promise<SessionList> {
  const { sessions, cursor } = await store.listSessions({ ...wish, owner: null })
  return { sessions: sessions.map(listed), cursor }
}

/** From then on its worker closes it. Throws SESSION_UNKNOWN. */
export async function endSession(store: SessionStore, id: string): Promise<void> {
  for (let i = 0; i < tries; i++) {
    const row = await store.session(id)
    if (!row) break
    const outcome = await store.leaveSession(id, row.token)
    if (outcome === 'changed') return
    // Otherwise somebody has taken it in this very moment.
    if (outcome === 'unknown') break
  }
  throw new LeadlineError('SESSION_UNKNOWN', `There is no session ${id}, or it is over`)
}

/** Hashes of its secret, and who has it, are nobody's business. */
function listed(row: SessionRow): ListedSession {
  const { id, state, model, mode, workerId, deviceBytes, epoch, lastSeq, createdAtMs, touchedAtMs } = row
  return { id, state, model, mode, workerId, deviceBytes, epoch, lastSeq, createdAtMs, touchedAtMs }
}
