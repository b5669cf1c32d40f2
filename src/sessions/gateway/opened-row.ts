import type { OpenedSession } from '../../session.ts'
import type { Reserved } from './reserve.ts'
import { hashResumeToken } from './resume-token.ts'
import type { SessionRow } from '../session-store.ts'

/** The row of a session that is open since just now, as the store has it, for where that forgets it before it could be read. */
export function openedRow(
  { reservation, resumeToken, options, account }: Reserved,
  { gatewayId, opened }: { gatewayId: string; opened: OpenedSession }
): SessionRow {
  const { bytes, graceMs, offer, route, workerInstance } = reservation
  const nowMs = Date.now()
  return {
    ...{ id: route.sessionId, workerId: route.workerId, token: route.token, workerInstance, gatewayId },
    ...{ model: options.model, modelDigest: opened.modelDigest, mode: options.mode, epoch: opened.epoch },
    ...{ bytes, deviceBytes: bytes, state: 'attached', lastSeq: -1, move: null },
    ...{ tokenHash: hashResumeToken(resumeToken), previousTokenHash: null, owner: account.owner },
    ...{ resumable: graceMs > 0, graceMs, priority: options.priority, terms: { options, opened, offer } },
    ...{ createdAtMs: nowMs, touchedAtMs: nowMs, deadlineMs: null }
  }
}
