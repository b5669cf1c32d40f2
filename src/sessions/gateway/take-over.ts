import { hashResumeToken } from './resume-token.ts'
import type { ResumeWish } from '../sessions.ts'
import type { SessionRow, SessionStore } from '../session-store.ts'

interface TakeOverWish {
  position: ResumeWish
  newToken: string
  gatewayId: string
}

/** Make the session this gateway's. Null: there is none that the token opens. Throws STORE_UNAVAILABLE. */
export async function takeOver(
  { position, newToken, gatewayId }: TakeOverWish,
  store: SessionStore
): Promise<SessionRow | null> {
  const outcome = await store.takeSession({
    ...{ id: position.session, owner: position.owner ?? null, gatewayId },
    ...{ tokenHash: hashResumeToken(position.token), newTokenHash: hashResumeToken(newToken) }
  })
  return outcome.kind === 'taken' ? outcome.row : null
}
