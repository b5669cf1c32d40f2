import type { EngineOffer } from '../session.ts'
import type { Keys } from './keys.ts'
import type { RedisConnections } from './redis-connections.ts'
import type {
  ChangeOutcome,
  LostWorkers,
  OpenOutcome,
  Progress,
  SessionReservation,
  SessionRow,
  SessionStore,
  Settlement,
  StoreTimes,
  WorkerLease,
  WorkerRegistration,
  WorkerRow
} from './session-store.ts'

/** The store that processes share. Every atomic change is one script; see the headers in scripts/. */
export class RedisSessionStore implements SessionStore {
  readonly #redis: RedisConnections
  readonly #keys: Keys
  readonly #times: StoreTimes

  /** Closing the connections stays with whoever opened them. */
  constructor(redis: RedisConnections, keys: Keys, times: StoreTimes) {
    this.#redis = redis
    this.#keys = keys
    this.#times = times
  }

  async registerWorker(worker: WorkerRegistration): Promise<'registered' | 'taken'> {
    await this.#retire(worker.id, worker.replaces ?? '')
    const registered = await this.#run(
      'registerWorker',
      [this.#keys.worker(worker.id), this.#keys.workers()],
      [
        ...[worker.id, this.#times.workerTtlMs, worker.offer.capacityBytes, worker.instance],
        ...[JSON.stringify(worker.offer), worker.draining ? '1' : '0']
      ]
    )
    return registered === 1 ? 'registered' : 'taken'
  }

  async renewWorker(lease: WorkerLease): Promise<'renewed' | 'lost'> {
    const values = [lease.instance, this.#times.workerTtlMs, lease.draining ? '1' : '0']
    return (await this.#run('renewWorker', [this.#keys.worker(lease.id)], values)) === 1 ? 'renewed' : 'lost'
  }

  async removeWorker(id: string, instance: string): Promise<void> {
    await this.#retire(id, instance)
  }

  async workers(): Promise<WorkerRow[]> {
    const rows = await this.#readRows((await this.#workerIds()).map((id) => this.#keys.worker(id)))
    return rows.map(parseWorker)
  }

  async reapWorkers(): Promise<LostWorkers> {
    const lost: LostWorkers = { workerIds: [], sessions: [] }
    for (const id of await this.#workerIds()) {
      const sessionIds = await this.#retire(id, '')
      if (sessionIds === null) continue
      lost.workerIds.push(id)
      lost.sessions.push(...(await this.#sessions(sessionIds)))
    }
    return lost
  }

  async renewGateway(id: string): Promise<void> {
    await this.#do((redis) => redis.set(this.#keys.gateway(id), '', 'PX', this.#times.gatewayTtlMs))
  }

  async removeGateway(id: string): Promise<void> {
    await this.#do((redis) => redis.del(this.#keys.gateway(id)))
  }

  async orphans(workerId: string): Promise<SessionRow[]> {
    const values = [this.#keys.sessionBase(), this.#keys.gatewayBase()]
    const ids = await this.#run('readOrphans', [this.#keys.workerSessions(workerId)], values)
    return this.#sessions(ids as string[])
  }

  async openSession(session: SessionReservation): Promise<OpenOutcome> {
    const keys = [
      this.#keys.worker(session.workerId),
      this.#keys.workerSessions(session.workerId),
      this.#keys.session(session.id)
    ]
    const fields = Object.entries(session).flat()
    const values = [session.id, session.workerInstance, session.bytes, ...fields]
    const outcome = (await this.#run('openSession', keys, values)) as OpenOutcome['kind']
    return outcome === 'opened' ? { kind: 'opened', token: 1 } : { kind: outcome }
  }

  async settleSession(id: string, token: number, settled: Settlement): Promise<ChangeOutcome | 'full'> {
    const values = [token, this.#keys.workerBase(), settled.bytes, settled.modelDigest, settled.epoch]
    return (await this.#run('settleSession', [this.#keys.session(id)], values)) as ChangeOutcome | 'full'
  }

  async touchSession(id: string, token: number, progress: Progress): Promise<ChangeOutcome> {
    const values = [token, progress.epoch, progress.lastSeq]
    return (await this.#run('touchSession', [this.#keys.session(id)], values)) as ChangeOutcome
  }

  async closeSession(id: string, token: number): Promise<ChangeOutcome> {
    const values = [token, id, this.#keys.workerBase()]
    return (await this.#run('closeSession', [this.#keys.session(id)], values)) as ChangeOutcome
  }

  async session(id: string): Promise<SessionRow | null> {
    return (await this.#sessions([id]))[0] ?? null
  }

  async close(): Promise<void> {}

  #workerIds(): Promise<string[]> {
    return this.#do(async (redis) => (await redis.smembers(this.#keys.workers())).sort())
  }

  /** Ids of the sessions that were lost by this; null if nothing was done. */
  async #retire(id: string, instance: string): Promise<string[] | null> {
    const keys = [this.#keys.worker(id), this.#keys.workerSessions(id), this.#keys.workers()]
    const values = [id, instance, this.#keys.sessionBase(), this.#times.lostTtlMs]
    return (await this.#run('retireWorker', keys, values)) as string[] | null
  }

  async #sessions(ids: readonly string[]): Promise<SessionRow[]> {
    return (await this.#readRows(ids.map((id) => this.#keys.session(id)))).map(parseSession)
  }

  /** The hashes at these keys that exist. */
  #readRows(keys: readonly string[]): Promise<Record<string, string>[]> {
    return this.#do(async (redis) => {
      const rows = await Promise.all(keys.map((key) => redis.hgetall(key)))
      return rows.filter((row) => Object.keys(row).length > 0)
    })
  }

  #run(name: string, keys: string[], values: (string | number)[]): Promise<unknown> {
    return this.#do(() => this.#redis.scripts.run(name, keys, values))
  }

  async #do<T>(work: (redis: RedisConnections['commands']) => Promise<T>): Promise<T> {
    try {
      return await work(this.#redis.commands)
    } catch (error) {
      throw this.#redis.unavailable(error)
    }
  }
}

function parseWorker(row: Record<string, string>): WorkerRow {
  return {
    id: row.id ?? '',
    instance: row.instance ?? '',
    draining: row.draining === '1',
    offer: JSON.parse(row.offer ?? '') as EngineOffer,
    reservedBytes: Number(row.reservedBytes),
    sessions: Number(row.sessions)
  }
}

function parseSession(row: Record<string, string>): SessionRow {
  return {
    id: row.id ?? '',
    model: row.model ?? '',
    modelDigest: row.modelDigest ?? '',
    workerId: row.workerId ?? '',
    workerInstance: row.workerInstance ?? '',
    gatewayId: row.gatewayId ?? '',
    resumeTokenHash: row.resumeTokenHash ?? '',
    state: row.state as SessionRow['state'],
    bytes: Number(row.bytes),
    token: Number(row.token),
    epoch: Number(row.epoch),
    lastSeq: Number(row.lastSeq),
    createdAtMs: Number(row.createdAtMs),
    touchedAtMs: Number(row.touchedAtMs)
  }
}
