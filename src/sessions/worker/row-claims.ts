import type { ServedSession } from './served-session.ts'
import type { KeptSession, SessionRow, SessionStore } from '../session-store.ts'

/** How a claim may end: "unknown": nothing is known to write. */
export type ClaimOutcome = 'restored' | 'stale' | 'workerGone' | 'unknown'

interface KnownRow {
  version: string
  row: SessionRow
}

/** The rows of a worker's sessions as it has seen them last, to write them anew where the store loses them. */
export class RowClaims {
  readonly #store: SessionStore
  readonly #rows = new Map<string, KnownRow>()

  constructor(store: SessionStore) {
    this.#store = store
  }

  /** Read again what is another than before; forget what is served no more. */
  async learn(kept: readonly KeptSession[], served: ReadonlyMap<string, unknown>): Promise<void> {
    for (const id of this.#rows.keys()) if (!served.has(id)) this.#rows.delete(id)
    const changed = kept.filter(
      ({ id, version, isMovingIn }) =>
        served.has(id) && !isMovingIn && this.#rows.get(id)?.version !== version
    )
    await Promise.all(
      changed.map(async ({ id, token, version }) => {
        const row = await this.#store.session(id)
        // One that changed meanwhile is another at the next look.
        const knownToken = this.#rows.get(id)?.row.token ?? 0
        // Nor is one that the store has from a time before.
        if (row?.token === token && token >= knownToken) this.#rows.set(id, { version, row })
      })
    )
  }

  /** Who has taken it tells its row. Read again all the same: it is told where the store may have forgotten it. */
  know(row: SessionRow): void {
    this.#rows.set(row.id, { version: '', row })
  }

  async restore(
    id: string,
    { token, progress }: Pick<ServedSession, 'token' | 'progress'>
  ): Promise<ClaimOutcome> {
    const known = this.#rows.get(id)
    return known ? this.#store.restoreSession({ ...known.row, ...progress, token }) : 'unknown'
  }
}
