import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { Account } from '../../metering/measures.ts'
import type { SessionContext, SessionEvent } from '../../session.ts'
import type { Answer } from './leg.ts'
import type { Route } from '../link.ts'
import type { LiveSession } from './live-session.ts'
import type { LeftPasts } from './past/left-pasts.ts'
import type { Provisions } from './past/lifeline.ts'
import type { SessionWish } from '../placement.ts'
import { newResumeToken } from './resume-token.ts'
import { accountOf, revive } from './revival.ts'
import type { HandleFacts } from './session-handle.ts'
import type { ResumedSession, ResumeWish, SessionHandle } from '../sessions.ts'
import type { SessionRow, SessionStore } from '../session-store.ts'
import { takeOver } from './take-over.ts'

export interface ResumerOptions {
  store: SessionStore
  gatewayId: string
  left: LeftPasts
  provisions: Provisions
  /** Whether what is missing in the store is lost. */
  isCertain: () => Promise<boolean>
  /** The session is this gateway's from now on. */
  follow: (
    held: { route: Route; graceMs: number; account: Account },
    onEvent: (event: SessionEvent) => void
  ) => LiveSession
  /** This is its row, once it is followed. */
  taken: (row: SessionRow) => void
  /** Ask its worker for it; rejects where that does not answer in time. */
  adopt: (live: LiveSession, taken: { afterSeq: number; row: SessionRow }) => Promise<Answer>
  handle: (live: LiveSession, facts: Omit<HandleFacts, 'closeTimeoutMs' | 'noted'>) => SessionHandle
  replace: (live: LiveSession, sought: SessionWish) => void
}

/** Gives sessions to clients that come back: as their worker has them, or without it, from what is left of their past. */
export class Resumer {
  readonly #options: ResumerOptions

  constructor(options: ResumerOptions) {
    this.#options = options
  }

  async resume(position: ResumeWish, onEvent: (event: SessionEvent) => void): Promise<ResumedSession> {
    const { follow, gatewayId, handle, left, store, taken } = this.#options
    const resumeToken = newResumeToken()
    const row = await takeOver({ position, newToken: resumeToken, gatewayId }, store)
    if (!row) throw await this.#missing()
    const { graceMs, id: sessionId, token, workerId } = row
    const route = { sessionId, workerId, token }
    const live = follow({ route, graceMs, account: accountOf(row) }, onEvent)
    taken(row)
    const past = left.take(live.route)
    const kept = past?.contextThrough(position.seq, position.epoch) ?? null
    past?.forget()
    const answer = row.state === 'lost' ? null : await this.#adopt(live, { afterSeq: position.seq, row })
    if (!answer) return this.#goOnWithout(live, { row, position, resumeToken, kept })
    const { opened, options, offer, resumed } = answer
    // The API reads `hasRoom` of the very handle, so this must not be a copy of it.
    return Object.assign(handle(live, { resumeToken, graceMs, options, opened, offer }), { resumed })
  }

  async #missing(): Promise<LeadlineError> {
    if (await this.#options.isCertain()) {
      const detail = 'There is no session of this name that the token opens, or it is over; open a new one'
      return new LeadlineError('SESSION_UNKNOWN', detail)
    }
    const detail = 'Redis has forgotten sessions, which are written anew just now; try again'
    return new LeadlineError('STORE_UNAVAILABLE', detail)
  }

  /** Null: there is no worker that has it. */
  async #adopt(
    live: LiveSession,
    taken: { afterSeq: number; row: SessionRow }
  ): Promise<Answer<'adopted'> | null> {
    const { adopt, store } = this.#options
    try {
      const answer = await adopt(live, taken)
      if (answer.type === 'adopted') return answer
    } catch (error) {
      const { sessionId, token } = live.route
      const row = live.isLost ? await store.session(sessionId).catch(() => null) : null
      if (row?.state === 'lost' && row.token === token) return null
      await live.leave(0)
      throw asLeadlineError(error).code === 'SESSION_REPLACED' ? overtaken() : error
    }
    throw new LeadlineError('INTERNAL', 'The worker opened what it was to adopt')
  }

  async #goOnWithout(live: LiveSession, { row, position, resumeToken, kept }: Lost): Promise<ResumedSession> {
    const { handle, provisions, replace } = this.#options
    const { graceMs, terms } = row
    if (!terms) {
      await live.leave(0)
      throw new LeadlineError(
        'WORKER_LOST',
        'The worker was lost before the session was open; open a new one'
      )
    }
    const revival = revive({ live, row: { ...row, terms }, position, kept, provisions, replace })
    return Object.assign(handle(live, { ...terms, resumeToken, graceMs }), revival)
  }
}

/** Mostly by an earlier attempt of the same client, whose socket is gone: whoever is here must come again. */
function overtaken(): LeadlineError {
  const detail = 'Another resume of the session came in between; try again'
  return new LeadlineError('STORE_UNAVAILABLE', detail)
}

interface Lost {
  row: SessionRow
  position: ResumeWish
  resumeToken: string
  kept: SessionContext | null
}
