import type { HeldRow } from './memory-rows.ts'
import { shown } from './memory-rows.ts'
import { endMove, lostUntil } from './memory-life.ts'
import type {
  ChangeOutcome,
  KeptSession,
  LostSession,
  SessionKey,
  TakeOutcome,
  TakeWish
} from '../session-store.ts'
import type { MemoryTables } from './memory-tables.ts'
import { follow } from '../session-states.ts'

/** Which gateway a session is held by. */

export function takeSession(tables: MemoryTables, wish: TakeWish): TakeOutcome {
  const { rows, now } = tables
  const { owner, tokenHash, newTokenHash, gatewayId } = wish
  const row = rows.get(wish.id)
  if (!row?.resumable || row.overtaken.includes(newTokenHash)) return { kind: 'unknown' }
  if (owner !== null && row.owner !== owner) return { kind: 'unknown' }
  if (isTaken(row, wish)) return { kind: 'taken', row: shown(row) }
  if (tokenHash !== row.tokenHash && tokenHash !== row.previousTokenHash) return { kind: 'unknown' }
  const to = follow('takeSession', { ...row, gatewayId })
  if (to === null || to === 'closed') return { kind: 'unknown' }
  endMove(tables, row)
  // Whoever shows the newest hash has seen it: nothing that was sent under older ones can count any more.
  const overtaken = tokenHash === row.tokenHash ? [] : [...row.overtaken, row.tokenHash].slice(-mostOvertaken)
  Object.assign(row, {
    ...{ state: to, gatewayId, overtaken, deadlineMs: null, touchedAtMs: now(), token: row.token + 1 },
    ...{ previousTokenHash: tokenHash, tokenHash: newTokenHash }
  })
  if (row.lostUntilMs !== null) row.lostUntilMs = lostUntil(tables, row)
  tables.renewGateway(gatewayId)
  return { kind: 'taken', row: shown(row) }
}

/** As many gateways may have tried at once before the client spoke to one. */
const mostOvertaken = 4

function isTaken(row: HeldRow, { tokenHash, newTokenHash, gatewayId }: TakeWish): boolean {
  return row.tokenHash === newTokenHash && row.previousTokenHash === tokenHash && row.gatewayId === gatewayId
}

export function confirmSession({ rows }: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const entry = rows.enter('confirmSession', id, token)
  if ('refusal' in entry) return entry.refusal
  entry.row.previousTokenHash = null
  entry.row.overtaken = []
  return 'changed'
}

export function detachSession({ rows, now }: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const entry = rows.enter('detachSession', id, token)
  if ('refusal' in entry) return entry.refusal
  const { row, to } = entry
  if (row.gatewayId === null) return 'changed'
  const deadlineMs = now() + row.graceMs
  Object.assign(row, { state: to, gatewayId: null, deadlineMs })
  if (row.lostUntilMs !== null) row.lostUntilMs = deadlineMs
  return 'changed'
}

export function holderOf(tables: MemoryTables, row: HeldRow): KeptSession['gateway'] {
  if (row.state === 'leaving') return 'left'
  if (row.gatewayId === null) return (row.deadlineMs ?? 0) > tables.now() ? 'detached' : 'expired'
  const isUnclaimed = row.restoredAtMs !== null && row.restoredAtMs + tables.times.claimMs <= tables.now()
  return tables.isGatewayAlive(row.gatewayId) && !isUnclaimed ? 'alive' : 'gone'
}

/** Why a session is not its caller's any more; null: it is, and was claimed by that. */
export function lossOf(
  tables: MemoryTables,
  row: HeldRow | undefined,
  token: number
): LostSession['why'] | null {
  if (!row) return 'gone'
  if (row.token !== token) return row.token < token ? 'behind' : 'stale'
  if (row.state === 'lost') {
    row.lostUntilMs = lostUntil(tables, row)
    return 'lost'
  }
  row.restoredAtMs = null
  return row.gatewayId === null ? 'detached' : null
}
