import type { ModelOffer, OpenedSession, SessionOptions } from '../../session.ts'
import type { LiveSession } from './live-session.ts'
import type { SessionHandle } from '../sessions.ts'

export interface HandleFacts {
  resumeToken: string
  graceMs: number
  options: SessionOptions
  opened: OpenedSession
  offer: ModelOffer
  closeTimeoutMs: number
  /** Resolves when the store knows that the session was left. */
  noted: () => Promise<void>
}

/** What the API is given of a session. */
export function handleOf(live: LiveSession, facts: HandleFacts): SessionHandle {
  const { resumeToken, graceMs, options, opened, offer, closeTimeoutMs, noted } = facts
  return {
    ...{ id: live.route.sessionId, resumeToken, graceMs, options, opened, offer },
    submit: (frame) => live.submit(frame),
    get hasRoom() {
      return live.hasRoom
    },
    settle: (outcome) => live.settle(outcome),
    ack: (seq) => live.ack(seq),
    flush: (id) => live.command({ type: 'flush', id }),
    reset: () => live.command({ type: 'reset' }),
    update: (change) => live.command({ type: 'update', ...change }),
    checkpoint: (wish) => live.command({ type: 'checkpoint', ...wish }),
    detach: async () => {
      await live.leave(closeTimeoutMs)
      await noted()
    },
    close: () => live.close(closeTimeoutMs)
  }
}
