import { endMove, lostUntil } from './memory-life.ts'
import type { HeldRow } from './memory-rows.ts'
import type { MemoryTables } from './memory-tables.ts'
import { follow, restoredState } from '../session-states.ts'
import type { RestoreOutcome, SessionRow } from '../session-store.ts'

/** Write a row anew from what its worker holds. */
export function restoreSession(tables: MemoryTables, row: SessionRow): RestoreOutcome {
  const { rows, workers, now } = tables
  const worker = workers.live(row.workerId)
  if (worker?.instance !== row.workerInstance) return 'workerGone'
  const known = rows.get(row.id)
  if (!known && rows.isOver(row.id)) return 'stale'
  // A gateway has taken it from the one that the worker knows of, and the worker is about to hear so.
  if (known && known.token > row.token)
    return known.workerInstance === row.workerInstance && known.state !== 'lost' ? 'restored' : 'stale'
  if (known?.token === row.token) {
    if (known.workerInstance !== row.workerInstance) return 'stale'
    if (known.state !== 'lost') return 'restored'
    admit(tables, row)
    const state = follow('restoreSession', known)
    Object.assign(known, { state, deviceBytes: row.deviceBytes, lostUntilMs: null, restoredAtMs: now() })
    return 'restored'
  }
  if (known) dismiss(tables, known)
  admit(tables, row)
  rows.put({
    ...row,
    ...{ state: restoredState(row), move: null, overtaken: [], movedToken: null, lostUntilMs: null },
    ...{ restoredAtMs: now(), deadlineMs: row.gatewayId === null ? now() + row.graceMs : null }
  })
  return 'restored'
}

/** Write the row of a session that no worker has anew, from what a gateway knows of it. */
export function restoreLost(tables: MemoryTables, row: SessionRow): 'restored' | 'stale' {
  const { rows, now } = tables
  const known = rows.get(row.id)
  if (known ? known.token >= row.token : rows.isOver(row.id)) return 'stale'
  const held: HeldRow = {
    ...row,
    ...{ state: 'lost', deviceBytes: 0, move: null, overtaken: [], movedToken: null, restoredAtMs: null },
    ...{ deadlineMs: row.gatewayId === null ? now() + row.graceMs : null, lostUntilMs: null }
  }
  if (row.gatewayId === null && row.graceMs === 0) return 'stale'
  if (known) dismiss(tables, known)
  rows.put({ ...held, lostUntilMs: lostUntil(tables, held) })
  return 'restored'
}

/** It is there already, so that its bytes need not fit. */
function admit({ workers }: MemoryTables, { workerId, deviceBytes }: SessionRow): void {
  const worker = workers.get(workerId)
  if (!worker) return
  worker.reservedBytes += deviceBytes
  worker.sessions += 1
}

function dismiss(tables: MemoryTables, known: HeldRow): void {
  endMove(tables, known)
  if (known.state !== 'lost') tables.workers.dismiss(known.workerId, known.deviceBytes)
}
