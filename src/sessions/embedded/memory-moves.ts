import { endMove } from './memory-life.ts'
import type {
  ChangeOutcome,
  MoveOutcome,
  MoveWish,
  ReplaceOutcome,
  ReplaceWish,
  ReserveOutcome,
  SessionKey,
  Settlement
} from '../session-store.ts'
import type { MemoryTables } from './memory-tables.ts'

/** On which worker a session is, and whether it takes device memory there. */

export function replaceSession(tables: MemoryTables, wish: ReplaceWish): ReplaceOutcome {
  const { rows, workers, now } = tables
  const { id, token, workerId, workerInstance, bytes, gatewayId } = wish
  const known = rows.get(id)
  const isDone =
    known?.token === token + 1 &&
    known.workerId === workerId &&
    known.workerInstance === workerInstance &&
    known.gatewayId === gatewayId
  if (isDone && known.state !== 'lost') return { kind: 'placed', token: token + 1 }
  const entry = rows.enter('replaceSession', id, token)
  if ('refusal' in entry) return { kind: entry.refusal }
  const { row } = entry
  if (row.state !== 'lost' && workers.live(row.workerId)?.instance === row.workerInstance)
    return { kind: 'barred' }
  const admitted = workers.admit({ id: workerId, instance: workerInstance }, bytes)
  if (admitted !== 'changed') return { kind: admitted }
  endMove(tables, row)
  // One whose lease ran out, and who counts again when it is renewed.
  if (row.state !== 'lost') workers.dismiss(row.workerId, row.deviceBytes)
  Object.assign(row, {
    ...{ state: 'attached', token: token + 1, workerId, workerInstance, gatewayId },
    ...{ bytes, deviceBytes: bytes, deadlineMs: null, lostUntilMs: null, touchedAtMs: now() }
  })
  tables.renewGateway(gatewayId)
  return { kind: 'placed', token: token + 1 }
}

export function beginMove({ rows, workers }: MemoryTables, wish: MoveWish): ReserveOutcome {
  const { workerId, workerInstance, bytes } = wish
  const entry = rows.enter('beginMove', wish.id, wish.token)
  if ('refusal' in entry) return entry.refusal
  const { row, to } = entry
  if (row.move)
    return row.move.workerInstance === workerInstance && row.move.workerId === workerId ? 'changed' : 'barred'
  if (row.workerId === workerId) return 'barred'
  const admitted = workers.admit({ id: workerId, instance: workerInstance }, bytes)
  if (admitted === 'changed') Object.assign(row, { state: to, move: { workerId, workerInstance, bytes } })
  return admitted
}

export function commitMove(
  { rows, workers }: MemoryTables,
  { id, token }: SessionKey,
  settled: Settlement
): MoveOutcome {
  const known = rows.get(id)
  const next = token + 1
  if (known?.token === next && known.movedToken === token) return { kind: 'moved', token: next }
  const entry = rows.enter('commitMove', id, token)
  if ('refusal' in entry) return { kind: entry.refusal }
  const { row, to } = entry
  const { move } = row
  if (!move) return { kind: 'barred' }
  const worker = workers.live(move.workerId)
  if (worker?.instance !== move.workerInstance) return { kind: 'workerGone' }
  if (!workers.resize(worker, settled.bytes - move.bytes)) return { kind: 'full' }
  workers.dismiss(row.workerId, row.deviceBytes)
  const { workerId, workerInstance } = move
  Object.assign(row, settled, { state: to, token: next, movedToken: token, workerId, workerInstance })
  Object.assign(row, { deviceBytes: settled.bytes, move: null })
  return { kind: 'moved', token: next }
}

export function abortMove(tables: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const entry = tables.rows.enter('abortMove', id, token)
  if ('refusal' in entry) return entry.refusal
  endMove(tables, entry.row)
  Object.assign(entry.row, { state: entry.to })
  return 'changed'
}

export function parkSession({ rows, workers }: MemoryTables, { id, token }: SessionKey): ChangeOutcome {
  const entry = rows.enter('parkSession', id, token)
  if ('refusal' in entry) return entry.refusal
  const { row, to } = entry
  const worker = workers.get(row.workerId)
  if (worker) workers.resize(worker, -row.deviceBytes)
  Object.assign(row, { state: to, deviceBytes: 0 })
  return 'changed'
}

export function unparkSession(
  { rows, workers, now }: MemoryTables,
  { id, token }: SessionKey,
  bytes: number
): ReserveOutcome {
  const entry = rows.enter('unparkSession', id, token)
  if ('refusal' in entry) return entry.refusal
  const { row, to } = entry
  if (row.state !== 'parked') return 'changed'
  const worker = workers.live(row.workerId)
  if (!worker) return 'workerGone'
  if (!workers.resize(worker, bytes)) return 'full'
  Object.assign(row, { state: to, bytes, deviceBytes: bytes, touchedAtMs: now() })
  return 'changed'
}
