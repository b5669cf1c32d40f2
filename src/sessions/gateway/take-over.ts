import { LeadlineError } from '../../errors.ts'
import type { Route } from '../link.ts'
import { hashResumeToken } from './resume-token.ts'
import type { ResumeWish } from '../sessions.ts'
import type { SessionStore } from '../session-store.ts'

interface TakeOverWish {
  position: ResumeWish
  newToken: string
  gatewayId: string
}

export interface Taken {
  route: Route
  workerInstance: string
  graceMs: number
}

/** Make the session this gateway's. Throws SESSION_UNKNOWN, WORKER_LOST, STORE_UNAVAILABLE. */
export async function takeOver(
  { position, newToken, gatewayId }: TakeOverWish,
  store: SessionStore
): Promise<Taken> {
  const outcome = await store.takeSession({
    ...{ id: position.session, owner: position.owner ?? null, gatewayId },
    ...{ tokenHash: hashResumeToken(position.token), newTokenHash: hashResumeToken(newToken) }
  })
  if (outcome.kind === 'unknown') {
    const detail = 'There is no session of this name that the token opens, or it is over; open a new one'
    throw new LeadlineError('SESSION_UNKNOWN', detail)
  }
  const { id, token, workerId, workerInstance, graceMs, state } = outcome.row
  // A worker whose lease has only lapsed may be back in a moment: only what the store calls lost is.
  if (state !== 'lost') return { route: { sessionId: id, workerId, token }, workerInstance, graceMs }
  await store.leaveSession(id, token)
  const detail = `Worker ${workerId}, which held the session, is gone; open a new session`
  throw new LeadlineError('WORKER_LOST', detail)
}
