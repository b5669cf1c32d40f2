import { LeadlineError } from '../../errors.ts'
import type { ListedSession, SessionList } from '../sessions.ts'
import type { ListWish, SessionRow, SessionStore } from '../session-store.ts'

/** Owners that a session may change in a row while it is to be ended. */
const tries = 5

export async function listSessions(store: SessionStore, wish: ListWish): Promise<SessionList> {
  const { sessions, cursor } = await store.listSessions(wish)
  return { sessions: sessions.map(listed), cursor }
}

/** From then on its worker closes it. `owner` null: whoever's it is. Throws SESSION_UNKNOWN, never saying why. */
export async function endSession(store: SessionStore, id: string, owner: string | null): Promise<void> {
  for (let i = 0; i < tries; i++) {
    const row = await store.session(id)
    if (!row || (owner !== null && row.owner !== owner)) break
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
