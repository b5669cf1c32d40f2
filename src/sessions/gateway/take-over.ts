import { LeadlineError } from '../../errors.ts'
import type { ModelOffer } from '../../session.ts'
import type { Route } from '../link.ts'
import { hashResumeToken } from './resume-token.ts'
import type { Roster } from './roster.ts'
import type { ResumePosition } from '../sessions.ts'
import type { SessionStore } from '../session-store.ts'

interface TakeOverWish {
  position: ResumePosition
  newToken: string
  gatewayId: string
}

export interface Taken {
  route: Route
  workerInstance: string
  offer: ModelOffer
  graceMs: number
}

/** Make the session this gateway's. Throws SESSION_UNKNOWN, WORKER_LOST, STORE_UNAVAILABLE. */
export async function takeOver(
  { position, newToken, gatewayId }: TakeOverWish,
  { store, roster }: { store: SessionStore; roster: Roster }
): Promise<Taken> {
  const outcome = await store.takeSession({
    ...{ id: position.session, gatewayId },
    ...{ tokenHash: hashResumeToken(position.token), newTokenHash: hashResumeToken(newToken) }
  })
  if (outcome.kind === 'unknown') {
    const detail = 'There is no session of this name that the token opens, or it is over; open a new one'
    throw new LeadlineError('SESSION_UNKNOWN', detail)
  }
  const { id, token, workerId, workerInstance, model, graceMs, state } = outcome.row
  const offer = state === 'lost' ? null : await offerOf(roster, { workerId, model })
  if (offer) return { route: { sessionId: id, workerId, token }, workerInstance, offer, graceMs }
  await store.leaveSession(id, token)
  throw new LeadlineError(
    'WORKER_LOST',
    `Worker ${workerId}, which held the session, is gone; open a new session`
  )
}

async function offerOf(
  roster: Roster,
  wanted: { workerId: string; model: string }
): Promise<ModelOffer | null> {
  const find = () =>
    roster.rows
      .find(({ id }) => id === wanted.workerId)
      ?.offer.models.find(({ name }) => name === wanted.model)
  if (!find()) await roster.read()
  return find() ?? null
}
