import { GatewayLeases } from './gateway-leases.ts'
import type { Keys } from './keys.ts'
import { patiently } from './patiently.ts'
import type { RedisConnections } from './redis-connections.ts'
import { lostValues, restoredValues } from './restored-row.ts'
import { arrowsOf, fieldsOf, hashOf, parseSession, parseWorkers } from './session-hash.ts'
import type { SessionArrow, SessionState } from '../session-states.ts'
import type {
  ChangeOutcome,
  KeptSession,
  ListWish,
  LostSession,
  LostWorkers,
  MoveOutcome,
  MoveWish,
  OpenOutcome,
  Progress,
  ReplaceOutcome,
  ReplaceWish,
  ReserveOutcome,
  RestoreOutcome,
  SessionKey,
  SessionPage,
  SessionReservation,
  SessionRow,
  SessionStore,
  Settlement,
  StoreTimes,
  TakeOutcome,
  TakeWish,
  WorkerOffer,
  WorkerRegistration,
  Workers
} from '../session-store.ts'
import { outageMs } from '../session-store.ts'
import { listSessions, readSessions } from './stored-sessions.ts'

/** The store that processes share. Every atomic change is one script; see the headers in scripts/. */
export class RedisSessionStore implements SessionStore {
  readonly #redis: RedisConnections
  readonly #keys: Keys
  readonly #times: StoreTimes
  readonly #leases = new GatewayLeases()

  /** Whoever opened the connections closes them. */
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
        ...[JSON.stringify(worker.offer), worker.draining ? '1' : '0', this.#times.rowTtlMs],
        ...[worker.parkableBytes, JSON.stringify(worker.moved), JSON.stringify(worker.pace)]
      ]
    )
    return registered === 1 ? 'registered' : 'taken'
  }

  async renewWorker(worker: WorkerOffer): Promise<'renewed' | 'lost'> {
    const { id, instance, draining, offer, parkableBytes, moved, pace } = worker
    const keys = [this.#keys.worker(id), this.#keys.workerSessions(id), this.#keys.workers()]
    const renewed = await this.#runOnce('renewWorker', keys, [
      ...[id, instance, this.#times.workerTtlMs, draining ? '1' : '0', this.#times.rowTtlMs],
      ...[this.#keys.sessionBase(), offer.capacityBytes, JSON.stringify(offer)],
      ...[parkableBytes, JSON.stringify(moved), JSON.stringify(pace)]
    ])
    return renewed === 1 ? 'renewed' : 'lost'
  }

  async removeWorker(id: string, instance: string): Promise<void> {
    await this.#retire(id, instance)
  }

  async workers(): Promise<Workers> {
    const rows = await this.#run('readWorkers', [this.#keys.workers()], [this.#keys.workerBase()])
    return parseWorkers(rows as [string, number, string[]][])
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

  renewGateway(id: string): Promise<'renewed' | 'anew'> {
    const keys = [this.#keys.gateway(id)]
    return this.#leases.renew(id, (n) => this.#runOnce('renewGateway', keys, [this.#times.gatewayTtlMs, n]))
  }

  async removeGateway(id: string): Promise<void> {
    await this.#do((redis) => redis.del(this.#keys.gateway(id)))
  }

  async keepSessions(workerId: string): Promise<KeptSession[]> {
    const bases = [this.#keys.sessionBase(), this.#keys.gatewayBase()]
    const keys = [this.#keys.workerSessions(workerId), this.#keys.worker(workerId)]
    const kept = await this.#run('keepSessions', keys, [
      ...[workerId, ...bases, this.#times.rowTtlMs, this.#times.claimMs]
    ])
    return (kept as [string, string, KeptSession['gateway'], number, SessionState, string, string][]).map(
      ([id, token, gateway, isMovingIn, state, deviceBytes, version]) => ({
        ...{ id, token: Number(token), gateway, isMovingIn: isMovingIn === 1 },
        ...{ state, deviceBytes: Number(deviceBytes), version }
      })
    )
  }

  async lostSessions(sessions: readonly SessionKey[]): Promise<LostSession[]> {
    const values = sessions.flatMap(({ id, token }) => [id, token])
    const base = [this.#keys.sessionBase(), this.#times.lostTtlMs]
    const lost = await this.#run('readLostSessions', [], [...base, ...values])
    return (lost as [string, LostSession['why']][]).map(([id, why]) => ({ id, why }))
  }

  listSessions(wish: ListWish): Promise<SessionPage> {
    return this.#do((redis) => listSessions(redis, this.#keys, wish))
  }

  async session(id: string): Promise<SessionRow | null> {
    return (await this.#sessions([id]))[0] ?? null
  }

  async openSession(session: SessionReservation): Promise<OpenOutcome> {
    const { id, workerId, workerInstance, gatewayId, bytes } = session
    const keys = [
      ...[this.#keys.worker(workerId), this.#keys.workerSessions(workerId)],
      ...[this.#keys.session(id), this.#keys.gateway(gatewayId)]
    ]
    const { rowTtlMs, gatewayTtlMs } = this.#times
    const values = [id, workerInstance, bytes, rowTtlMs, gatewayTtlMs, ...fieldsOf(session)]
    const outcome = (await this.#run('openSession', keys, values)) as number | 'full' | 'workerGone'
    return typeof outcome === 'number' ? { kind: 'opened', token: outcome } : { kind: outcome }
  }

  async settleSession(id: string, token: number, settled: Settlement): Promise<ChangeOutcome | 'full'> {
    const { bytes, modelDigest, epoch, terms } = settled
    const values = [this.#keys.workerBase(), bytes, modelDigest, epoch, JSON.stringify(terms)]
    return (await this.#change('settleSession', { id, token }, values)) as ChangeOutcome | 'full'
  }

  async touchSession(id: string, token: number, progress: Progress): Promise<ChangeOutcome> {
    const values = [progress.epoch, progress.lastSeq, this.#times.rowTtlMs]
    return (await this.#change('touchSession', { id, token }, values)) as ChangeOutcome
  }

  async leaveSession(id: string, token: number): Promise<ChangeOutcome> {
    const values = [id, this.#keys.workerBase(), this.#times.rowTtlMs, outageMs]
    return (await this.#change('leaveSession', { id, token }, values)) as ChangeOutcome
  }

  async closeSession(id: string, token: number): Promise<ChangeOutcome> {
    return (await this.#change('closeSession', { id, token }, [id, this.#keys.workerBase()])) as ChangeOutcome
  }

  async takeSession({ id, owner, tokenHash, newTokenHash, gatewayId }: TakeWish): Promise<TakeOutcome> {
    const { rowTtlMs, gatewayTtlMs, lostTtlMs } = this.#times
    const fields = (await this.#run(
      'takeSession',
      [this.#keys.session(id), this.#keys.gateway(gatewayId)],
      [
        ...[id, arrowsOf('takeSession'), this.#keys.workerBase(), rowTtlMs, gatewayTtlMs],
        ...[tokenHash, newTokenHash, gatewayId, owner ?? '', lostTtlMs]
      ]
    )) as string[] | null
    return fields ? { kind: 'taken', row: parseSession(hashOf(fields)) } : { kind: 'unknown' }
  }

  async confirmSession(id: string, token: number): Promise<ChangeOutcome> {
    const ttls = [this.#times.rowTtlMs, this.#times.lostTtlMs]
    return (await this.#change('confirmSession', { id, token }, ttls)) as ChangeOutcome
  }

  async detachSession(id: string, token: number): Promise<ChangeOutcome> {
    return (await this.#change('detachSession', { id, token }, [this.#times.rowTtlMs])) as ChangeOutcome
  }

  async replaceSession(wish: ReplaceWish): Promise<ReplaceOutcome> {
    const { id, token, workerId, workerInstance, bytes, gatewayId } = wish
    const { rowTtlMs, gatewayTtlMs } = this.#times
    const worker = [this.#keys.worker(workerId), this.#keys.workerSessions(workerId)]
    const times = [this.#keys.workerBase(), rowTtlMs, gatewayTtlMs]
    const values = [id, ...times, workerId, workerInstance, bytes, gatewayId]
    const keys = [...worker, this.#keys.gateway(gatewayId)]
    const outcome = await this.#change('replaceSession', { id, token }, values, keys)
    if (outcome === 'placed') return { kind: 'placed', token: token + 1 }
    return { kind: outcome as Exclude<ReserveOutcome, 'changed'> }
  }

  async loseSession(id: string, token: number): Promise<ChangeOutcome> {
    const values = [id, this.#keys.workerBase(), this.#times.lostTtlMs, this.#times.rowTtlMs]
    const keys = [this.#keys.lostSessions()]
    return (await this.#change('loseSession', { id, token }, values, keys)) as ChangeOutcome
  }

  async beginMove({ id, token, workerId, workerInstance, bytes }: MoveWish): Promise<ReserveOutcome> {
    const keys = [this.#keys.worker(workerId), this.#keys.workerSessions(workerId)]
    const values = [id, this.#times.rowTtlMs, workerId, workerInstance, bytes]
    return (await this.#change('beginMove', { id, token }, values, keys)) as ReserveOutcome
  }

  async commitMove(id: string, token: number, settled: Settlement): Promise<MoveOutcome> {
    const { bytes, modelDigest, epoch, terms } = settled
    const place = [id, this.#keys.workerBase(), this.#times.rowTtlMs]
    const values = [...place, bytes, modelDigest, epoch, JSON.stringify(terms)]
    const outcome = await this.#change('commitMove', { id, token }, values)
    if (outcome === 'moved') return { kind: 'moved', token: token + 1 }
    return { kind: outcome as Exclude<MoveOutcome['kind'], 'moved'> }
  }

  async abortMove(id: string, token: number): Promise<ChangeOutcome> {
    const values = [id, this.#keys.workerBase(), this.#times.rowTtlMs]
    return (await this.#change('abortMove', { id, token }, values)) as ChangeOutcome
  }

  async parkSession(id: string, token: number): Promise<ChangeOutcome> {
    const values = [this.#keys.workerBase(), this.#times.rowTtlMs]
    return (await this.#change('parkSession', { id, token }, values)) as ChangeOutcome
  }

  async unparkSession(id: string, token: number, bytes: number): Promise<ReserveOutcome> {
    const values = [this.#keys.workerBase(), this.#times.rowTtlMs, bytes]
    return (await this.#change('unparkSession', { id, token }, values)) as ReserveOutcome
  }

  async restoreSession(row: SessionRow): Promise<RestoreOutcome> {
    const keys = [this.#keys.worker(row.workerId), this.#keys.workerSessions(row.workerId)]
    const values = restoredValues(row, this.#keys, this.#times)
    return (await this.#change('restoreSession', row, values, keys)) as RestoreOutcome
  }

  async restoreLost(row: SessionRow): Promise<'restored' | 'stale'> {
    const keys = [this.#keys.session(row.id), this.#keys.lostSessions()]
    const outcome = await this.#run('restoreLost', keys, lostValues(row, this.#keys, this.#times))
    return outcome as 'restored' | 'stale'
  }

  async close(): Promise<void> {}

  /** Ids of what was lost by this; null: nothing was done. */
  async #retire(id: string, instance: string): Promise<string[] | null> {
    const keys = [
      ...[this.#keys.worker(id), this.#keys.workerSessions(id)],
      ...[this.#keys.workers(), this.#keys.lostSessions()]
    ]
    const values = [
      ...[id, instance, this.#keys.sessionBase(), this.#keys.workerBase(), this.#times.lostTtlMs],
      ...[arrowsOf('loseSession'), arrowsOf('abortMove'), this.#times.rowTtlMs]
    ]
    return (await this.#run('retireWorker', keys, values)) as string[] | null
  }

  #sessions(ids: readonly string[]): Promise<SessionRow[]> {
    return this.#do((redis) => readSessions(redis, this.#keys, ids))
  }

  /** The script of a change of one row, whose first values are its token and the arrows that it may follow. */
  #change(
    arrow: SessionArrow,
    { id, token }: SessionKey,
    values: (string | number)[],
    keys: string[] = []
  ): Promise<unknown> {
    return this.#run(arrow, [this.#keys.session(id), ...keys], [token, arrowsOf(arrow), ...values])
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
