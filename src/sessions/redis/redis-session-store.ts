import type { EngineOffer } from '../../session.ts'
import type { Keys } from './keys.ts'
import { patiently } from './patiently.ts'
import type { RedisConnections } from './redis-connections.ts'
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
        ...[JSON.stringify(worker.offer), worker.draining ? '1' : '0', this.#times.rowTtlMs]
      ]
    )
    return registered === 1 ? 'registered' : 'taken'
  }

  async renewWorker({ id, instance, draining, offer }: WorkerOffer): Promise<'renewed' | 'lost'> {
    const keys = [this.#keys.worker(id), this.#keys.workerSessions(id), this.#keys.workers()]
    const renewed = await this.#runOnce('renewWorker', keys, [
      ...[id, instance, this.#times.workerTtlMs, draining ? '1' : '0', this.#times.rowTtlMs],
      ...[this.#keys.sessionBase(), offer.capacityBytes, JSON.stringify(offer)]
    ])
    return renewed === 1 ? 'renewed' : 'lost'
  }

  async removeWorker(id: string, instance: string): Promise<void> {
    await this.#retire(id, instance)
  }

  async workers(): Promise<Workers> {
    const workers: Workers = { live: [], lapsed: [] }
    const rows = await this.#run('readWorkers', [this.#keys.workers()], [this.#keys.workerBase()])
    for (const [id, fields] of rows as [string, string[]][]) {
      if (fields.length === 0) workers.lapsed.push(id)
      else workers.live.push(parseWorker(recordOf(fields)))
    }
    return workers
  }

  async reapWorkers(ids: readonly string[]): Promise<LostWorkers> {
    const lost: LostWorkers = { workerIds: [], sessions: [] }
    for (const id of ids) {
      const sessionIds = await this.#retire(id, '')
      if (sessionIds === null) continue
      lost.workerIds.push(id)
      lost.sessions.push(...(await this.#sessions(sessionIds)))
    }
    return lost
  }

  async renewGateway(id: string): Promise<void> {
    await this.#runOnce('renewGateway', [this.#keys.gateway(id)], [this.#times.gatewayTtlMs])
  }

  async removeGateway(id: string): Promise<void> {
    await this.#do((redis) => redis.del(this.#keys.gateway(id)))
  }

  async keepSessions(workerId: string): Promise<KeptSession[]> {
    const values = [this.#keys.sessionBase(), this.#keys.gatewayBase(), this.#times.rowTtlMs]
    const keys = [this.#keys.workerSessions(workerId), this.#keys.worker(workerId)]
    const kept = await this.#run('keepSessions', keys, values)
    return (kept as [string, string, KeptSession['gateway']][]).map(([id, token, gateway]) => ({
      ...{ id, token: Number(token), gateway }
    }))
  }

  async leaveSession(id: string, token: number): Promise<ChangeOutcome> {
    const values = [token, this.#times.rowTtlMs]
    return (await this.#run('leaveSession', [this.#keys.session(id)], values)) as ChangeOutcome
  }

  async lostSessions(sessions: readonly SessionKey[]): Promise<string[]> {
    const values = sessions.flatMap(({ id, token }) => [id, token])
    return (await this.#run('readLostSessions', [], [this.#keys.sessionBase(), ...values])) as string[]
  }

  async openSession(session: SessionReservation): Promise<OpenOutcome> {
    const keys = [
      this.#keys.worker(session.workerId),
      this.#keys.workerSessions(session.workerId),
      this.#keys.session(session.id),
      this.#keys.gateway(session.gatewayId)
    ]
    const { rowTtlMs, gatewayTtlMs } = this.#times
    const fields = Object.entries(session).flat()
    const values = [session.id, session.workerInstance, session.bytes, rowTtlMs, gatewayTtlMs, ...fields]
    const outcome = (await this.#run('openSession', keys, values)) as OpenOutcome['kind']
    return outcome === 'opened' ? { kind: 'opened', token: 1 } : { kind: outcome }
  }

  async settleSession(id: string, token: number, settled: Settlement): Promise<ChangeOutcome | 'full'> {
    const values = [token, this.#keys.workerBase(), settled.bytes, settled.modelDigest, settled.epoch]
    return (await this.#run('settleSession', [this.#keys.session(id)], values)) as ChangeOutcome | 'full'
  }

  async touchSession(id: string, token: number, progress: Progress): Promise<ChangeOutcome> {
    const values = [token, progress.epoch, progress.lastSeq, this.#times.rowTtlMs]
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

  /** Ids of the sessions that were lost by this; null if nothing was done. */
  async #retire(id: string, instance: string): Promise<string[] | null> {
    const keys = [this.#keys.worker(id), this.#keys.workerSessions(id), this.#keys.workers()]
    const values = [id, instance, this.#keys.sessionBase(), this.#times.rowTtlMs]
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

  /** Every script may be run again, so what a broken connection left unanswered is. */
  #run(name: string, keys: string[], values: (string | number)[]): Promise<unknown> {
    return this.#do(() => this.#redis.controlScripts.run(name, keys, values))
  }

  /** For a lease: the next beat comes anyway. */
  async #runOnce(name: string, keys: string[], values: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.controlScripts.run(name, keys, values)
    } catch (error) {
      throw this.#redis.unavailable(error)
    }
  }

  #do<T>(work: (redis: RedisConnections['control']) => Promise<T>): Promise<T> {
    return patiently(this.#redis, () => work(this.#redis.control))
  }
}

/** Fields and values in turn, as Lua gives a hash. */
function recordOf(fields: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {}
  for (let i = 0; i < fields.length; i += 2) record[fields[i] ?? ''] = fields[i + 1] ?? ''
  return record
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
