import type { HeldRow } from './memory-rows.ts'
import { shown } from './memory-rows.ts'
import type {
  ChangeOutcome,
  OpenOutcome,
  Progress,
  SessionKey,
  SessionReservation,
  SessionRow,
  Settlement
} from '../session-store.ts'
import type { MemoryTables } from './memory-tables.ts'
import { follow } from '../session-states.ts'

/** How a session's row begins, goes on and ends. */

export function openSession(tables: MemoryTables, session: SessionReservation): OpenOutcome {
  const { rows, workers, now } = tables
  const { id, bytes, workerId, workerInstance, gatewayId } = session
  const known = rows.get(id)
  if (known) {
    const isHere = known.state !== 'lost' && known.workerInstance === workerInstance
    return isHere ? { kind: 'opened', token: known.token } : { kind: 'workerGone' }
  }
  const admitted = workers.admit({ id: workerId, instance: workerInstance }, bytes)
  if (admitted !== 'changed') return { kind: admitted }
  tables.renewGateway(gatewayId)
  rows.put({
    ...session,
    ...{ state: 'opening', token: 1, epoch: 0, lastSeq: -1, createdAtMs: now(), touchedAtMs: now() },
    ...{ previousTokenHash: null, deviceBytes: bytes, move: null, deadlineMs: null, terms: null },
    ...{ overtaken: [], movedToken: null, lostUntilMs: null, restoredAtMs: null }
  })
  return { kind: 'opened', token: 1 }
}

export function settleSession(
  { rows, workers, now }: MemoryTables,
  { id, token }: SessionKey,
  settled: Settlement
): ChangeOutcome | 'full' {
  const entry = rows.enter('settleSession', id, token)
  if ('refusal' in entry) return entry.refusal
  const { row, to } = entry
  const worker = workers.live(row.workerId)
  if (!worker) return 'unknown'
  if (!workers.resize(worker, settled.bytes - row.deviceBytes)) return 'full'
  Object.assign(row, settled, { state: to, deviceBytes: settled.bytes, touchedAtMs: now() })
  return 'changed'
}

export function touchSession(
  { rows, now }: MemoryTables,
  { id, token }: SessionKey,
  progress: Progress
): ChangeOutcome {
  const entry = rows.enter('touchSession', id, token)
  if ('refusal' in entry) return entry.refusal
  Object.assign(entry.row, progress, { touchedAtMs: now() })
  return 'changed'
}

export function leaveSession(tables: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const entry = tables.rows.enter('leaveSession', id, token)
  if ('refusal' in entry) return entry.refusal
  endMove(tables, entry.row)
  if (entry.to === 'closed') tables.rows.end(id)
  else entry.row.state = entry.to
  return 'changed'
}

export function closeSession(tables: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const { rows, workers } = tables
  const entry = rows.enter('closeSession', id, token)
  if ('refusal' in entry) return entry.refusal
  endMove(tables, entry.row)
  workers.dismiss(entry.row.workerId, entry.row.deviceBytes)
  rows.delete(id)
  return 'changed'
}

/** What a worker that is gone served is lost, and what was moving to it stays where it is. */
export function loseSessionsOf(tables: MemoryTables, workerId: string): SessionRow[] {
  const { rows } = tables
  return rows.on(workerId).flatMap((row) => {
    const isMovingIn = row.workerId !== workerId
    const to = follow(isMovingIn ? 'abortMove' : 'loseSession', row)
    endMove(tables, row)
    if (to === 'closed' || to === null) rows.delete(row.id)
    else row.state = to
    if (isMovingIn || to !== 'lost') return []
    row.deviceBytes = 0
    row.lostUntilMs = lostUntil(tables, row)
    return [shown(row)]
  })
}

export function loseSession(tables: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const { rows, workers } = tables
  const entry = rows.enter('loseSession', id, token)
  if ('refusal' in entry) return entry.refusal
  const { row, to } = entry
  endMove(tables, row)
  workers.dismiss(row.workerId, row.deviceBytes)
  if (to === 'closed') rows.delete(id)
  else Object.assign(row, { state: to, deviceBytes: 0, lostUntilMs: lostUntil(tables, row) })
  return 'changed'
}

/** What is reserved on the other worker is free again. */
export function endMove({ workers }: MemoryTables, row: HeldRow): void {
  if (row.move) workers.dismiss(row.move.workerId, row.move.bytes)
  row.move = null
}

/** How long the row of a lost session stays: for the rest of its grace, or until its gateway has not asked for it for as long. */
export function lostUntil({ now, times }: MemoryTables, { deadlineMs, graceMs }: HeldRow): number {
  return deadlineMs ?? now() + Math.max(times.lostTtlMs, graceMs)
}
