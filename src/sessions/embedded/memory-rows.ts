import { follow } from '../session-states.ts'
import type { SessionArrow, SessionState } from '../session-states.ts'
import { outageMs } from '../session-store.ts'
import type { ChangeOutcome, ListWish, SessionPage, SessionRow } from '../session-store.ts'

/** A row with what only a store reads of it. */
export interface HeldRow extends SessionRow {
  /** Hashes that somebody put in place with a hash that still counts, and that somebody else has replaced since. */
  overtaken: string[]
  /** Token of the owner that committed the last move. */
  movedToken: number | null
  /** When a lost row is forgotten. */
  lostUntilMs: number | null
  /** When its worker wrote it anew; null once its gateway has asked for it. */
  restoredAtMs: number | null
}

type Refusal = Exclude<ChangeOutcome, 'changed'>
export type Entry = { row: HeldRow; to: SessionState | 'closed' } | { refusal: Refusal }

/** The rows of the sessions, and which changes they allow. */
export class MemoryRows {
  readonly #now: () => number
  readonly #rows = new Map<string, HeldRow>()
  /** When it may be forgotten that a lost session was closed. */
  readonly #overUntilMs = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  get(id: string): HeldRow | undefined {
    const row = this.#rows.get(id)
    if (row?.lostUntilMs == null || row.lostUntilMs > this.#now()) return row
    this.#rows.delete(id)
    return undefined
  }

  put(row: HeldRow): void {
    this.#rows.set(row.id, row)
  }

  /** Close one that is lost; its old worker may not restore it. */
  end(id: string): void {
    for (const [over, untilMs] of this.#overUntilMs)
      if (untilMs <= this.#now()) this.#overUntilMs.delete(over)
    this.#overUntilMs.set(id, this.#now() + outageMs)
    this.#rows.delete(id)
  }

  isOver(id: string): boolean {
    return (this.#overUntilMs.get(id) ?? 0) > this.#now()
  }

  delete(id: string): void {
    this.#rows.delete(id)
  }

  /** The row, and where the arrow leads from it, if `token` is its own and there is one. */
  enter(arrow: SessionArrow, id: string, token: number): Entry {
    const row = this.get(id)
    if (!row) return { refusal: 'unknown' }
    const to = follow(arrow, row)
    // To its old worker a lost session is gone.
    if (to === null && row.state === 'lost') return { refusal: 'unknown' }
    if (row.token !== token) return { refusal: 'stale' }
    return to === null ? { refusal: 'barred' } : { row, to }
  }

  /** What a worker serves, and what is moving to it. */
  on(workerId: string): HeldRow[] {
    return this.#all().filter((row) => isOn(row, workerId))
  }

  list({ owner, cursor, limit }: ListWish): SessionPage {
    const rows = this.#all()
      .filter((row) => (owner === null || row.owner === owner) && (cursor === null || row.id > cursor))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    const sessions = rows.slice(0, limit).map(shown)
    return { sessions, cursor: rows.length > limit ? (sessions.at(-1)?.id ?? null) : null }
  }

  #all(): HeldRow[] {
    return [...this.#rows.keys()].flatMap((id) => this.get(id) ?? [])
  }
}

export function versionOf(row: HeldRow): string {
  const { token, state, gatewayId, previousTokenHash, bytes, deviceBytes } = row
  return [token, state, gatewayId ?? '', previousTokenHash ?? '', bytes, deviceBytes].join('/')
}

export function shown(row: HeldRow): SessionRow {
  const { overtaken: _, movedToken: __, lostUntilMs: ___, restoredAtMs: ____, ...rest } = row
  return { ...rest, move: row.move && { ...row.move } }
}

function isOn(row: HeldRow, workerId: string): boolean {
  return row.state !== 'lost' && (row.workerId === workerId || row.move?.workerId === workerId)
}
