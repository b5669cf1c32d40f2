import { follow, restoredState } from '../../src/sessions/session-states.ts'
import type { SessionArrow } from '../../src/sessions/session-states.ts'
import type {
  KeptSession,
  MoveWish,
  ReplaceWish,
  SessionReservation,
  SessionRow,
  Settlement,
  TakeWish
} from '../../src/sessions/session-store.ts'

/** Rows without the times of which only the store knows more than whether they are there. */
export interface ModelRow extends Omit<SessionRow, 'createdAtMs' | 'touchedAtMs' | 'deadlineMs'> {
  overtaken: string[]
  movedToken: number | null
}

export interface ModelWorker {
  instance: string
  capacityBytes: number
  draining: boolean
  isLapsed: boolean
}

export interface Key {
  id: string
  token: number
}

/** A call of a store by its arguments, so that it can be sent again. */
export type Call =
  | { name: 'openSession'; wish: SessionReservation }
  | { name: 'settleSession' | 'commitMove'; key: Key; settled: Settlement }
  | { name: 'touchSession'; key: Key; lastSeq: number }
  | { name: 'unparkSession'; key: Key; bytes: number }
  | { name: 'takeSession'; wish: TakeWish }
  | { name: 'replaceSession'; wish: ReplaceWish }
  | { name: 'beginMove'; wish: MoveWish }
  | { name: 'restoreSession' | 'restoreLost'; row: SessionRow }
  | { name: PlainName; key: Key }

export type PlainName =
  | 'leaveSession'
  | 'closeSession'
  | 'confirmSession'
  | 'detachSession'
  | 'abortMove'
  | 'parkSession'
  | 'loseSession'

/**
 * What a store must do, said once and slowly: rows follow the table of arrows, and what is reserved on a worker is
 * nowhere counted but is the sum of its rows. It knows no time: a grace is over at once (0) or never.
 */
export class SessionModel {
  readonly workers = new Map<string, ModelWorker>()
  readonly rows = new Map<string, ModelRow>()
  readonly gateways = new Set<string>()
  /** Closed while they were lost. */
  readonly #over = new Set<string>()

  /** The answer, as the store gives it; where it is a row, only its kind. */
  call(call: Call): string {
    switch (call.name) {
      case 'openSession':
        return this.#open(call.wish)
      case 'takeSession':
        return this.#take(call.wish)
      case 'replaceSession':
        return this.#replace(call.wish)
      case 'beginMove':
        return this.#beginMove(call.wish)
      case 'commitMove':
        return this.#commitMove(call.key, call.settled)
      case 'restoreSession':
        return this.#restore(call.row)
      case 'restoreLost':
        return this.#restoreLost(call.row)
      default:
        return this.#change(call)
    }
  }

  isLive(id: string, instance: string): boolean {
    const worker = this.workers.get(id)
    return worker !== undefined && !worker.isLapsed && worker.instance === instance
  }

  usage(id: string): { reservedBytes: number; sessions: number } {
    const here = this.on(id)
    const bytes = here.map((row) => (row.workerId === id ? row.deviceBytes : (row.move?.bytes ?? 0)))
    return { reservedBytes: bytes.reduce((sum, one) => sum + one, 0), sessions: here.length }
  }

  on(id: string): ModelRow[] {
    return [...this.rows.values()].filter(
      (row) => row.state !== 'lost' && (row.workerId === id || row.move?.workerId === id)
    )
  }

  /** The worker is noted as gone; ids of what is lost. */
  retire(id: string): string[] {
    const lost: string[] = []
    for (const row of this.on(id)) {
      const isHome = row.workerId === id
      this.#go(isHome ? 'loseSession' : 'abortMove', row)
      row.move = null
      if (!isHome || row.state !== 'lost') continue
      row.deviceBytes = 0
      if (this.#isOver(row)) this.rows.delete(row.id)
      else lost.push(row.id)
    }
    this.workers.delete(id)
    return lost.sort()
  }

  holder(row: ModelRow): KeptSession['gateway'] {
    if (row.state === 'leaving') return 'left'
    if (row.gatewayId === null) return row.graceMs > 0 ? 'detached' : 'expired'
    return this.gateways.has(row.gatewayId) ? 'alive' : 'gone'
  }

  #isOver(row: ModelRow): boolean {
    return row.state === 'lost' && row.gatewayId === null && row.graceMs === 0
  }

  #fits(id: string, bytes: number): boolean {
    return bytes <= 0 || this.usage(id).reservedBytes + bytes <= (this.workers.get(id)?.capacityBytes ?? 0)
  }

  #admits({ workerId, workerInstance, bytes }: Omit<MoveWish, 'token'>): 'full' | 'workerGone' | null {
    if (!this.isLive(workerId, workerInstance) || this.workers.get(workerId)?.draining) return 'workerGone'
    return this.#fits(workerId, bytes) ? null : 'full'
  }

  /** Follow the arrow; the row goes where it leads to "closed". */
  #go(arrow: SessionArrow, row: ModelRow): void {
    const to = follow(arrow, row)
    if (to === 'closed') this.rows.delete(row.id)
    else if (to !== null) row.state = to
  }

  /** The row, or why not. */
  #enter(arrow: SessionArrow, { id, token }: Key): ModelRow | 'unknown' | 'stale' | 'barred' {
    const row = this.rows.get(id)
    if (!row) return 'unknown'
    const leads = follow(arrow, row) !== null
    if (!leads && row.state === 'lost') return 'unknown'
    if (row.token !== token) return 'stale'
    return leads ? row : 'barred'
  }

  #open(wish: SessionReservation): string {
    const known = this.rows.get(wish.id)
    if (known)
      return known.state !== 'lost' && known.workerInstance === wish.workerInstance ? 'opened' : 'workerGone'
    const refusal = this.#admits(wish)
    if (refusal) return refusal
    this.gateways.add(wish.gatewayId)
    this.rows.set(wish.id, {
      ...wish,
      ...{
        state: 'opening',
        token: 1,
        epoch: 0,
        lastSeq: -1,
        deviceBytes: wish.bytes,
        move: null,
        terms: null
      },
      ...{ previousTokenHash: null, overtaken: [], movedToken: null }
    })
    return 'opened'
  }

  #take({ id, owner, tokenHash, newTokenHash, gatewayId }: TakeWish): string {
    const row = this.rows.get(id)
    if (!row || !row.resumable || row.overtaken.includes(newTokenHash)) return 'unknown'
    if (owner !== null && row.owner !== owner) return 'unknown'
    const { tokenHash: newest, previousTokenHash: older } = row
    if (newest === newTokenHash && older === tokenHash && row.gatewayId === gatewayId) return 'taken'
    if (![newest, older].includes(tokenHash) || follow('takeSession', row) === null) return 'unknown'
    Object.assign(row, { gatewayId, token: row.token + 1, move: null })
    Object.assign(row, { tokenHash: newTokenHash, previousTokenHash: tokenHash })
    row.overtaken = tokenHash === newest ? [] : [...row.overtaken, newest].slice(-4)
    this.#go('takeSession', row)
    this.gateways.add(gatewayId)
    return 'taken'
  }

  #replace(wish: ReplaceWish): string {
    const { id, token, workerId, workerInstance, bytes, gatewayId } = wish
    const known = this.rows.get(id)
    const isDone = known && known.state !== 'lost' && known.token === token + 1
    if (isDone && known.workerId === workerId && known.workerInstance === workerInstance)
      if (known.gatewayId === gatewayId) return 'placed'
    const row = this.#enter('replaceSession', wish)
    if (typeof row === 'string') return row
    if (row.state !== 'lost' && this.isLive(row.workerId, row.workerInstance)) return 'barred'
    const refusal = this.#admits(wish)
    if (refusal) return refusal
    Object.assign(row, { gatewayId, token: token + 1, workerId, workerInstance, bytes, deviceBytes: bytes })
    row.move = null
    this.#go('replaceSession', row)
    this.gateways.add(gatewayId)
    return 'placed'
  }

  #beginMove(wish: MoveWish): string {
    const { workerId, workerInstance, bytes } = wish
    const row = this.#enter('beginMove', wish)
    if (typeof row === 'string') return row
    if (row.move) return row.move.workerId === workerId ? 'changed' : 'barred'
    if (row.workerId === workerId) return 'barred'
    const refusal = this.#admits(wish)
    if (refusal) return refusal
    row.move = { workerId, workerInstance, bytes }
    this.#go('beginMove', row)
    return 'changed'
  }

  #commitMove(key: Key, settled: Settlement): string {
    const known = this.rows.get(key.id)
    if (known?.token === key.token + 1 && known.movedToken === key.token) return 'moved'
    const row = this.#enter('commitMove', key)
    if (typeof row === 'string') return row
    if (!row.move) return 'barred'
    if (!this.isLive(row.move.workerId, row.move.workerInstance)) return 'workerGone'
    if (!this.#fits(row.move.workerId, settled.bytes - row.move.bytes)) return 'full'
    const { workerId, workerInstance } = row.move
    Object.assign(row, settled, { workerId, workerInstance, deviceBytes: settled.bytes, move: null })
    Object.assign(row, { token: key.token + 1, movedToken: key.token })
    this.#go('commitMove', row)
    return 'moved'
  }

  #restore({ createdAtMs: _, touchedAtMs: __, deadlineMs: ___, ...claim }: SessionRow): string {
    if (!this.isLive(claim.workerId, claim.workerInstance)) return 'workerGone'
    const known = this.rows.get(claim.id)
    if (!known && this.#over.has(claim.id)) return 'stale'
    if (known && known.token > claim.token)
      return known.workerInstance === claim.workerInstance && known.state !== 'lost' ? 'restored' : 'stale'
    if (known?.token === claim.token) {
      if (known.workerInstance !== claim.workerInstance) return 'stale'
      if (known.state !== 'lost') return 'restored'
      known.deviceBytes = claim.deviceBytes
      this.#go('restoreSession', known)
      return 'restored'
    }
    const state = restoredState(claim)
    this.rows.set(claim.id, { ...claim, state, move: null, overtaken: [], movedToken: null })
    return 'restored'
  }

  #restoreLost({ createdAtMs: _, touchedAtMs: __, deadlineMs: ___, ...claim }: SessionRow): string {
    const known = this.rows.get(claim.id)
    if (known ? known.token >= claim.token : this.#over.has(claim.id)) return 'stale'
    const row: ModelRow = {
      ...{ ...claim, state: 'lost', deviceBytes: 0, move: null },
      ...{ overtaken: [], movedToken: null }
    }
    if (this.#isOver(row)) return 'stale'
    this.rows.set(claim.id, row)
    return 'restored'
  }

  #change(call: Extract<Call, { key: Key }>): string {
    const row = this.#enter(call.name, call.key)
    if (typeof row === 'string') return row
    if (call.name === 'leaveSession' && row.state === 'lost') this.#over.add(row.id)
    const refusal = this.#write(call, row)
    if (refusal) return refusal
    this.#go(call.name, row)
    if (this.#isOver(row)) this.rows.delete(row.id)
    return 'changed'
  }

  #write(call: Extract<Call, { key: Key }>, row: ModelRow): string | null {
    const isServed = this.isLive(row.workerId, row.workerInstance)
    switch (call.name) {
      case 'settleSession':
        if (!isServed) return 'unknown'
        if (!this.#fits(row.workerId, call.settled.bytes - row.deviceBytes)) return 'full'
        Object.assign(row, call.settled, { deviceBytes: call.settled.bytes })
        return null
      case 'unparkSession':
        if (row.state !== 'parked') return null
        if (!isServed) return 'workerGone'
        if (!this.#fits(row.workerId, call.bytes)) return 'full'
        Object.assign(row, { bytes: call.bytes, deviceBytes: call.bytes })
        return null
      case 'touchSession':
        Object.assign(row, { lastSeq: call.lastSeq, epoch: 0 })
        return null
      case 'confirmSession':
        Object.assign(row, { previousTokenHash: null, overtaken: [] })
        return null
      case 'detachSession':
        row.gatewayId = null
        return null
      case 'parkSession':
        row.deviceBytes = 0
        return null
      case 'loseSession':
        Object.assign(row, { deviceBytes: 0, move: null })
        return null
      default:
        row.move = null
        return null
    }
  }
}
