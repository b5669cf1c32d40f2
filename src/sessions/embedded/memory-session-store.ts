import type {
  ChangeOutcome,
  KeptSession,
  LostWorkers,
  OpenOutcome,
  Progress,
  SessionKey,
  SessionReservation,
  SessionRow,
  SessionStore,
  Settlement,
  StoreTimes,
  WorkerOffer,
  WorkerRegistration,
  WorkerRow,
  Workers
} from '../session-store.ts'

interface HeldWorker extends WorkerRow {
  expiresAtMs: number
}

/** The store of one process. Nothing is awaited inside a method, which is what makes each change atomic. */
export class MemorySessionStore implements SessionStore {
  readonly #times: StoreTimes
  readonly #now: () => number
  readonly #workers = new Map<string, HeldWorker>()
  readonly #gateways = new Map<string, number>()
  readonly #sessions = new Map<string, SessionRow>()
  readonly #lostAtMs = new Map<string, number>()
  readonly #left = new Set<string>()

  /** `now` gives milliseconds. */
  constructor(times: StoreTimes, now: () => number = Date.now) {
    this.#times = times
    this.#now = now
  }

  async registerWorker(worker: WorkerRegistration): Promise<'registered' | 'taken'> {
    const { replaces, ...lease } = worker
    const known = this.#liveWorker(worker.id)
    if (known && known.instance !== worker.instance && known.instance !== replaces) return 'taken'
    this.#loseSessionsOf(worker.id)
    const expiresAtMs = this.#now() + this.#times.workerTtlMs
    this.#workers.set(worker.id, { ...lease, reservedBytes: 0, sessions: 0, expiresAtMs })
    return 'registered'
  }

  async renewWorker(lease: WorkerOffer): Promise<'renewed' | 'lost'> {
    const known = this.#workers.get(lease.id)
    if (!known || known.instance !== lease.instance) return 'lost'
    known.expiresAtMs = this.#now() + this.#times.workerTtlMs
    known.draining = lease.draining
    return 'renewed'
  }

  async removeWorker(id: string, instance: string): Promise<void> {
    if (this.#workers.get(id)?.instance !== instance) return
    this.#loseSessionsOf(id)
    this.#workers.delete(id)
  }

  async workers(): Promise<Workers> {
    const workers: Workers = { live: [], lapsed: [] }
    for (const id of [...this.#workers.keys()].sort()) {
      const known = this.#liveWorker(id)
      if (!known) {
        workers.lapsed.push(id)
        continue
      }
      const { expiresAtMs: _, ...row } = known
      workers.live.push(row)
    }
    return workers
  }

  async reapWorkers(ids: readonly string[]): Promise<LostWorkers> {
    const lost: LostWorkers = { workerIds: [], sessions: [] }
    for (const id of ids) {
      if (!this.#workers.has(id) || this.#liveWorker(id)) continue
      lost.workerIds.push(id)
      lost.sessions.push(...this.#loseSessionsOf(id))
      this.#workers.delete(id)
    }
    return lost
  }

  async renewGateway(id: string): Promise<void> {
    this.#gateways.set(id, this.#now() + this.#times.gatewayTtlMs)
  }

  async removeGateway(id: string): Promise<void> {
    this.#gateways.delete(id)
  }

  async keepSessions(workerId: string): Promise<KeptSession[]> {
    const alive = (id: string): boolean => (this.#gateways.get(id) ?? 0) > this.#now()
    return this.#sessionsOf(workerId).map(({ id, token, gatewayId }) => ({
      ...{ id, token },
      gateway: this.#left.has(id) ? 'left' : alive(gatewayId) ? 'alive' : 'gone'
    }))
  }

  async leaveSession(id: string, token: number): Promise<ChangeOutcome> {
    const row = this.#owned(id, token)
    if (typeof row === 'string') return row
    this.#left.add(id)
    return 'changed'
  }

  async lostSessions(sessions: readonly SessionKey[]): Promise<string[]> {
    return sessions.filter(({ id, token }) => typeof this.#owned(id, token) === 'string').map(({ id }) => id)
  }

  async openSession(session: SessionReservation): Promise<OpenOutcome> {
    const worker = this.#liveWorker(session.workerId)
    if (!worker || worker.instance !== session.workerInstance || worker.draining)
      return { kind: 'workerGone' }
    if (worker.reservedBytes + session.bytes > worker.offer.capacityBytes) return { kind: 'full' }
    worker.reservedBytes += session.bytes
    worker.sessions += 1
    const now = this.#now()
    this.#gateways.set(session.gatewayId, now + this.#times.gatewayTtlMs)
    this.#sessions.set(session.id, {
      ...session,
      ...{ state: 'opening', token: 1, epoch: 0, lastSeq: -1, createdAtMs: now, touchedAtMs: now }
    })
    return { kind: 'opened', token: 1 }
  }

  async settleSession(id: string, token: number, settled: Settlement): Promise<ChangeOutcome | 'full'> {
    const row = this.#owned(id, token)
    if (typeof row === 'string') return row
    const worker = this.#workers.get(row.workerId)
    if (!worker) return 'unknown'
    const reservedBytes = worker.reservedBytes - row.bytes + settled.bytes
    if (reservedBytes > worker.offer.capacityBytes) return 'full'
    worker.reservedBytes = reservedBytes
    Object.assign(row, settled, { state: 'open', touchedAtMs: this.#now() })
    return 'changed'
  }

  async touchSession(id: string, token: number, progress: Progress): Promise<ChangeOutcome> {
    const row = this.#owned(id, token)
    if (typeof row === 'string') return row
    Object.assign(row, progress, { touchedAtMs: this.#now() })
    return 'changed'
  }

  async closeSession(id: string, token: number): Promise<ChangeOutcome> {
    const row = this.#owned(id, token)
    if (typeof row === 'string') return row
    this.#sessions.delete(id)
    this.#left.delete(id)
    const worker = this.#workers.get(row.workerId)
    if (worker) {
      worker.reservedBytes -= row.bytes
      worker.sessions -= 1
    }
    return 'changed'
  }

  async session(id: string): Promise<SessionRow | null> {
    this.#forgetLost()
    const row = this.#sessions.get(id)
    return row ? { ...row } : null
  }

  async close(): Promise<void> {}

  #liveWorker(id: string): HeldWorker | undefined {
    const known = this.#workers.get(id)
    return known && known.expiresAtMs > this.#now() ? known : undefined
  }

  #sessionsOf(workerId: string): SessionRow[] {
    return [...this.#sessions.values()].filter((row) => row.workerId === workerId && row.state !== 'lost')
  }

  /** The row if `token` owns it. A lost session has no owner. */
  #owned(id: string, token: number): SessionRow | 'stale' | 'unknown' {
    const row = this.#sessions.get(id)
    if (!row || row.state === 'lost') return 'unknown'
    return row.token === token ? row : 'stale'
  }

  #loseSessionsOf(workerId: string): SessionRow[] {
    this.#forgetLost()
    const lost = this.#sessionsOf(workerId)
    for (const row of lost) {
      row.state = 'lost'
      this.#left.delete(row.id)
      this.#lostAtMs.set(row.id, this.#now())
    }
    return lost.map((row) => ({ ...row }))
  }

  #forgetLost(): void {
    for (const [id, atMs] of this.#lostAtMs) {
      if (atMs + this.#times.rowTtlMs > this.#now()) continue
      this.#lostAtMs.delete(id)
      this.#sessions.delete(id)
    }
  }
}
