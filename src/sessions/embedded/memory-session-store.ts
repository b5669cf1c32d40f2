import type {
  KeptSession,
  ListWish,
  LostSession,
  LostWorkers,
  MoveWish,
  Progress,
  ReplaceWish,
  SessionKey,
  SessionPage,
  SessionReservation,
  SessionRow,
  SessionStore,
  Settlement,
  StoreTimes,
  TakeWish,
  WorkerOffer,
  WorkerRegistration,
  Workers
} from '../session-store.ts'
import * as life from './memory-life.ts'
import * as moves from './memory-moves.ts'
import * as owners from './memory-owners.ts'
import { shown, versionOf } from './memory-rows.ts'
import { restoreLost, restoreSession } from './memory-restore.ts'
import { MemoryTables } from './memory-tables.ts'

/** The store of one process. Nothing is awaited inside a method, which is what makes each change atomic. */
export class MemorySessionStore implements SessionStore {
  readonly #tables: MemoryTables

  /** `now` gives milliseconds. */
  constructor(times: StoreTimes, now: () => number = Date.now) {
    this.#tables = new MemoryTables(times, now)
  }

  async registerWorker(worker: WorkerRegistration): Promise<'registered' | 'taken'> {
    const { workers } = this.#tables
    const known = workers.live(worker.id)
    if (known?.instance === worker.instance) return 'registered'
    if (known && known.instance !== worker.replaces) return 'taken'
    life.loseSessionsOf(this.#tables, worker.id)
    workers.put(worker)
    return 'registered'
  }

  async renewWorker(lease: WorkerOffer): Promise<'renewed' | 'lost'> {
    return this.#tables.workers.renew(lease) ? 'renewed' : 'lost'
  }

  async removeWorker(id: string, instance: string): Promise<void> {
    const { workers } = this.#tables
    if (workers.get(id)?.instance !== instance) return
    life.loseSessionsOf(this.#tables, id)
    workers.remove(id)
  }

  async workers(): Promise<Workers> {
    return this.#tables.workers.read()
  }

  async reapWorkers(ids: readonly string[]): Promise<LostWorkers> {
    const { workers } = this.#tables
    const lost: LostWorkers = { workerIds: [], sessions: [] }
    for (const id of ids) {
      if (!workers.get(id) || workers.live(id)) continue
      lost.workerIds.push(id)
      lost.sessions.push(...life.loseSessionsOf(this.#tables, id))
      workers.remove(id)
    }
    return lost
  }

  async renewGateway(id: string): Promise<'renewed' | 'anew'> {
    return this.#tables.renewGateway(id)
  }

  async removeGateway(id: string): Promise<void> {
    this.#tables.removeGateway(id)
  }

  async keepSessions(workerId: string): Promise<KeptSession[]> {
    return this.#tables.rows.on(workerId).map((row) => ({
      ...{ id: row.id, token: row.token, gateway: owners.holderOf(this.#tables, row) },
      ...{ isMovingIn: row.workerId !== workerId, version: versionOf(row) },
      ...{ state: row.state, deviceBytes: row.deviceBytes }
    }))
  }

  async lostSessions(sessions: readonly SessionKey[]): Promise<LostSession[]> {
    return sessions.flatMap(({ id, token }) => {
      const why = owners.lossOf(this.#tables, this.#tables.rows.get(id), token)
      return why === null ? [] : [{ id, why }]
    })
  }

  async listSessions(wish: ListWish): Promise<SessionPage> {
    return this.#tables.rows.list(wish)
  }

  async session(id: string): Promise<SessionRow | null> {
    const row = this.#tables.rows.get(id)
    return row ? shown(row) : null
  }

  openSession = async (session: SessionReservation) => life.openSession(this.#tables, session)
  settleSession = async (id: string, token: number, settled: Settlement) =>
    life.settleSession(this.#tables, { id, token }, settled)
  touchSession = async (id: string, token: number, progress: Progress) =>
    life.touchSession(this.#tables, { id, token }, progress)
  leaveSession = async (id: string, token: number) => life.leaveSession(this.#tables, { id, token })
  closeSession = async (id: string, token: number) => life.closeSession(this.#tables, { id, token })

  takeSession = async (wish: TakeWish) => owners.takeSession(this.#tables, wish)
  confirmSession = async (id: string, token: number) => owners.confirmSession(this.#tables, { id, token })
  detachSession = async (id: string, token: number) => owners.detachSession(this.#tables, { id, token })

  replaceSession = async (wish: ReplaceWish) => moves.replaceSession(this.#tables, wish)
  loseSession = async (id: string, token: number) => life.loseSession(this.#tables, { id, token })
  beginMove = async (wish: MoveWish) => moves.beginMove(this.#tables, wish)
  commitMove = async (id: string, token: number, settled: Settlement) =>
    moves.commitMove(this.#tables, { id, token }, settled)
  abortMove = async (id: string, token: number) => moves.abortMove(this.#tables, { id, token })
  parkSession = async (id: string, token: number) => moves.parkSession(this.#tables, { id, token })
  unparkSession = async (id: string, token: number, bytes: number) =>
    moves.unparkSession(this.#tables, { id, token }, bytes)
  restoreSession = async (row: SessionRow) => restoreSession(this.#tables, row)
  restoreLost = async (row: SessionRow) => restoreLost(this.#tables, row)

  async close(): Promise<void> {}
}
