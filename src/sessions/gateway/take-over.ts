import { LeadlineError } from '../../errors.ts'
import { hashResumeToken } from './resume-token.ts'
import type { ResumeWish } from '../sessions.ts'
import type { SessionRow, SessionStore } from '../session-store.ts'

interface TakeOverWish {
  position: ResumeWish
  newToken: string
  gatewayId: string
}

/** Make the session this gateway's. Throws SESSION_UNKNOWN, STORE_UNAVAILABLE. */
export async function takeOver(
  { position, newToken, gatewayId }: TakeOverWish,
  store: SessionStore
): Promise<SessionRow> {
  const outcome = await store.takeSession({
    ...{ id: position.session, owner: position.owner ?? null, gatewayId },
    ...{ tokenHash: hashResumeToken(position.token), newTokenHash: hashResumeToken(newToken) }
  })
  if (outcome.kind === 'taken') return outcome.row
  const detail = 'There is no session of this name that the token opens, or it is over; open a new one'
  throw new LeadlineError('SESSION_UNKNOWN', detail)
}
