import type { SessionStore, WorkerRow, Workers } from '../session-store.ts'

/** The workers as their rows were read last, so that opening a session need not read them first. */
export class Roster {
  readonly #store: SessionStore
  #rows: WorkerRow[] = []
  #reading: Promise<Workers> | null = null

  constructor(store: SessionStore) {
    this.#store = store
  }

  get rows(): readonly WorkerRow[] {
    return this.#rows
  }

  /** Read the rows again; whoever asks meanwhile shares the answer. */
  read(): Promise<Workers> {
    this.#reading ??= this.#store
      .workers()
      .then((workers) => {
        this.#rows = workers.live
        return workers
      })
      .finally(() => (this.#reading = null))
    return this.#reading
  }

  /** Bytes were reserved since the rows were read. */
  reserve(workerId: string, bytes: number): void {
    this.#rows = this.#rows.map((row) =>
      row.id === workerId
        ? { ...row, reservedBytes: row.reservedBytes + bytes, sessions: row.sessions + 1 }
        : row
    )
  }
}
