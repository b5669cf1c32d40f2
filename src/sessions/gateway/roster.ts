import type { ModelOffer } from '../../session.ts'
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

  /** Every model that some live worker offers, by name, after the rows were read again. */
  async models(): Promise<ModelOffer[]> {
    const { live } = await this.read()
    const byName = new Map(live.flatMap(({ offer }) => offer.models.map((model) => [model.name, model])))
    return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Bytes were reserved since the rows were read, or will be when others are parked for them. */
  reserve(workerId: string, bytes: number): void {
    this.#rows = this.#rows.map((row) => (row.id === workerId ? withOneMore(row, bytes) : row))
  }
}

function withOneMore(row: WorkerRow, bytes: number): WorkerRow {
  const { offer, parkableBytes, reservedBytes, sessions } = row
  const parkedBytes = Math.max(0, bytes - Math.max(0, offer.capacityBytes - reservedBytes))
  return {
    ...{ ...row, sessions: sessions + 1, reservedBytes: reservedBytes + bytes - parkedBytes },
    parkableBytes: Math.max(0, parkableBytes - parkedBytes)
  }
}
