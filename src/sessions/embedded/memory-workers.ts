import type { StoreTimes, WorkerOffer, WorkerRegistration, WorkerRow, Workers } from '../session-store.ts'

interface HeldWorker extends WorkerRow {
  expiresAtMs: number
}

/** The rows of the workers, and what is reserved on them. */
export class MemoryWorkers {
  readonly #ttlMs: number
  readonly #now: () => number
  readonly #workers = new Map<string, HeldWorker>()

  constructor({ workerTtlMs }: StoreTimes, now: () => number) {
    this.#ttlMs = workerTtlMs
    this.#now = now
  }

  put({ replaces: _, ...offer }: WorkerRegistration): void {
    const expiresAtMs = this.#now() + this.#ttlMs
    this.#workers.set(offer.id, { ...offer, reservedBytes: 0, sessions: 0, expiresAtMs })
  }

  renew({ id, instance, draining, parkableBytes, moved, pace }: WorkerOffer): boolean {
    const known = this.#workers.get(id)
    if (!known || known.instance !== instance) return false
    known.expiresAtMs = this.#now() + this.#ttlMs
    known.draining = draining
    known.parkableBytes = parkableBytes
    known.moved = moved
    known.pace = pace
    return true
  }

  remove(id: string): void {
    this.#workers.delete(id)
  }

  /** The row, whether it ran out or not. */
  get(id: string): WorkerRow | undefined {
    return this.#workers.get(id)
  }

  live(id: string): WorkerRow | undefined {
    const known = this.#workers.get(id)
    return known && known.expiresAtMs > this.#now() ? known : undefined
  }

  read(): Workers {
    const workers: Workers = { live: [], lapsed: [], nextLapseMs: Infinity }
    for (const id of [...this.#workers.keys()].sort()) {
      const known = this.#workers.get(id)
      if (!known || !this.live(id)) {
        workers.lapsed.push(id)
        continue
      }
      const { expiresAtMs, ...row } = known
      workers.live.push(row)
      workers.nextLapseMs = Math.min(workers.nextLapseMs, expiresAtMs - this.#now())
    }
    return workers
  }

  /** Reserve bytes for one session more, if the worker takes any and they fit. */
  admit(
    { id, instance }: { id: string; instance: string },
    bytes: number
  ): 'changed' | 'full' | 'workerGone' {
    const worker = this.live(id)
    if (!worker || worker.instance !== instance || worker.draining) return 'workerGone'
    if (!this.resize(worker, bytes)) return 'full'
    worker.sessions += 1
    return 'changed'
  }

  /** Reserve this many bytes more, or fewer, if they fit. */
  resize(worker: WorkerRow, byBytes: number): boolean {
    const reservedBytes = worker.reservedBytes + byBytes
    if (byBytes > 0 && reservedBytes > worker.offer.capacityBytes) return false
    worker.reservedBytes = reservedBytes
    return true
  }

  /** A session has gone from here. */
  dismiss(id: string, bytes: number): void {
    const worker = this.#workers.get(id)
    if (!worker) return
    worker.reservedBytes -= bytes
    worker.sessions -= 1
  }
}
