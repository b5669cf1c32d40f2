import { sessionBytes } from '../placement.ts'
import type { PlannedMove, RebalancePlan } from '../sessions.ts'
import type { SessionRow, WorkerRow } from '../session-store.ts'
import { fairTarget } from '../worker/moving/balance.ts'

/**
 * The workers give sessions in turn, by the rule that they follow themselves, until nobody would give another. They all
 * give at once, so which sessions go may differ; how many each has in the end does not.
 */
export function planRebalance(workers: readonly WorkerRow[], sessions: readonly SessionRow[]): RebalancePlan {
  const movable = sessions.filter(canMove).toSorted((a, b) => a.createdAtMs - b.createdAtMs)
  const moves: PlannedMove[] = []
  let rows = workers
  for (let isUneven = true; isUneven;) {
    isUneven = false
    // One that leaves gives everything away as it is.
    for (const { id } of workers.filter(({ draining }) => !draining)) {
      const next = nextMove(
        rows,
        id,
        movable.filter((row) => row.workerId === id)
      )
      if (!next) continue
      isUneven = true
      moves.push(next.move)
      rows = next.rows
      movable.splice(movable.indexOf(next.session), 1)
    }
  }
  return { moves, workers: workers.map((row) => planned(row, rows.find(({ id }) => id === row.id) ?? row)) }
}

function nextMove(rows: readonly WorkerRow[], ownId: string, own: readonly SessionRow[]) {
  for (const session of own) {
    const { deviceBytes: bytes, modelDigest, terms } = session
    const sought = terms && { ...terms.options, modelDigest }
    const able = rows.filter((row) => row.id === ownId || (sought && sessionBytes(row, sought) !== null))
    const target = fairTarget(able, ownId, { bytes, threshold: 0 })
    const from = rows.find(({ id }) => id === ownId)
    if (!target || !from) continue
    const { id, model } = session
    const shares = { fromShare: shareOf(from), toShare: shareOf(target) }
    const move = { session: id, model, from: ownId, to: target.id, bytes, ...shares }
    return { session, move, rows: rows.map((row) => after(row, move)) }
  }
  return null
}

/** A parked one takes no device memory, and windows of a clip cannot move. */
function canMove({ deviceBytes, mode, state }: SessionRow): boolean {
  return deviceBytes > 0 && mode !== 'vda-window' && (state === 'attached' || state === 'detached')
}

function after(row: WorkerRow, { from, to, bytes }: PlannedMove): WorkerRow {
  const sign = row.id === to ? 1 : row.id === from ? -1 : 0
  return { ...row, sessions: row.sessions + sign, reservedBytes: row.reservedBytes + sign * bytes }
}

function planned(before: WorkerRow, then: WorkerRow): RebalancePlan['workers'][number] {
  return {
    ...{ id: before.id, draining: before.draining, sessions: before.sessions, share: shareOf(before) },
    ...{ sessionsAfter: then.sessions, shareAfter: shareOf(then) }
  }
}

function shareOf({ offer: { capacityBytes }, reservedBytes }: WorkerRow): number {
  return capacityBytes > 0 ? reservedBytes / capacityBytes : 0
}
