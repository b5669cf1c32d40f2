import { expect } from 'vitest'
import { noPace } from '../../src/metering/engine-pace.ts'
import { noneMoved } from '../../src/sessions/session-store.ts'
import type { SessionRow, SessionStore, WorkerOffer } from '../../src/sessions/session-store.ts'
import { hashModel, hashTerms } from '../helpers/hash-engine.ts'
import { SessionModel } from './session-model.ts'
import type { Call, ModelRow } from './session-model.ts'

export interface World {
  store: SessionStore
  /** The worker's lease runs out now, and nobody else's. */
  lapse(workerId: string): Promise<void>
}

const workerIds = ['w0', 'w1', 'w2']
const gatewayIds = ['g0', 'g1']
export const sessionIds = ['s0', 's1', 's2', 's3']
/** Few enough that sessions do not fit now and then. */
const capacityBytes = 200
const hourMs = 3_600_000

/** Walks a store and the model side by side, and holds every row, lease and sum of the one against the other. */
export class Walk {
  readonly model = new SessionModel()
  readonly #world: World
  readonly #sent: Call[] = []
  /** Rows as workers may hold them still. */
  readonly #claims: SessionRow[] = []
  readonly #highestTokens = new Map<string, number>()
  readonly #instances = new Map<string, string>()
  /** What was restored need not fit. */
  #mayOvercommit = false
  #made = 0

  constructor(world: World) {
    this.#world = world
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'worker') await this.#worker(step)
    else if (step.kind === 'gateway') await this.#gateway(step)
    else {
      const call = step.kind === 'again' ? this.#sent.at(-1 - (step.back % 12)) : this.#callOf(step)
      if (!call) return
      this.#sent.push(call)
      for (let i = 0; i < step.sends; i++) {
        expect([call, await send(this.#world.store, call)]).toEqual([call, this.model.call(call)])
        await this.#compare()
      }
    }
    await this.#compare()
    for (const row of this.model.rows.values()) this.#remember(row)
  }

  #remember({ overtaken: _, movedToken: __, ...row }: ModelRow): void {
    this.#claims.push({ ...row, move: null, createdAtMs: 1, touchedAtMs: 1, deadlineMs: null })
  }

  #callOf({ name, session, worker, gateway, bytes, tokenBy, hash, isPlain }: CallStep): Call | null {
    const id = sessionIds[session]!
    const row = this.model.rows.get(id)
    const key = { id, token: Math.max(1, (row?.token ?? 1) + tokenBy) }
    const workerId = workerIds[worker]!
    const gatewayId = gatewayIds[gateway]!
    const target = {
      ...key,
      workerId,
      bytes,
      workerInstance: this.model.workers.get(workerId)?.instance ?? 'i'
    }
    switch (name) {
      case 'openSession': {
        const { token: _, ...place } = target
        return { name, wish: { ...this.#reservation(isPlain), ...place, gatewayId } }
      }
      case 'settleSession':
      case 'commitMove':
        return { name, key, settled: { bytes, modelDigest: `d${bytes}`, epoch: bytes, terms: hashTerms } }
      case 'touchSession':
        return { name, key, lastSeq: bytes }
      case 'unparkSession':
        return { name, key, bytes }
      case 'takeSession': {
        const tokenHash = [row?.tokenHash, row?.previousTokenHash, 'of another'][hash] ?? 'of none'
        const owner = tokenBy === 0 ? 'o' : 'of another'
        return { name, wish: { id, owner, tokenHash, newTokenHash: this.#newHash(), gatewayId } }
      }
      case 'replaceSession':
        return { name, wish: { ...target, gatewayId } }
      case 'beginMove':
        return { name, wish: target }
      case 'restoreSession':
      case 'restoreLost': {
        const claim = this.#claims.filter((one) => one.id === id).at(-1 - hash * 2)
        this.#mayOvercommit = true
        return claim ? { name, row: claim } : null
      }
      default:
        return { name, key }
    }
  }

  #reservation(isPlain: boolean) {
    return {
      ...{ model: 'hash', modelDigest: 'd', mode: 'ovda' as const, tokenHash: this.#newHash(), priority: 1 },
      ...{ owner: isPlain ? null : 'o', resumable: !isPlain, graceMs: isPlain ? 0 : hourMs }
    }
  }

  #newHash(): string {
    this.#made += 1
    return `${this.#made}`.padStart(64, '0')
  }

  async #worker({ act, worker, isDraining }: WorkerStep): Promise<void> {
    const { store } = this.#world
    const id = workerIds[worker]!
    const known = this.model.workers.get(id)
    if (act === 'register' || act === 'return') {
      const instance = (act === 'return' && this.#instances.get(id)) || `i${this.#made++}`
      if (known && act === 'return') return
      this.#instances.set(id, instance)
      const replaces = isDraining ? (known?.instance ?? null) : null
      const isTaken = known !== undefined && !known.isLapsed && replaces === null
      const answer = await store.registerWorker({ ...offerOf(id, instance, false), replaces })
      expect(answer).toBe(isTaken ? 'taken' : 'registered')
      if (isTaken) return
      this.model.retire(id)
      this.model.workers.set(id, { instance, capacityBytes, draining: false, isLapsed: false })
    } else if (act === 'reap') {
      const { workerIds: gone, sessions } = await store.reapWorkers([id])
      expect(gone).toEqual(known?.isLapsed ? [id] : [])
      const lost = known?.isLapsed ? this.model.retire(id) : []
      expect(sessions.map((row) => row.id).sort()).toEqual(lost)
    } else if (known && act === 'renew') {
      expect(await store.renewWorker(offerOf(id, known.instance, isDraining))).toBe('renewed')
      Object.assign(known, { draining: isDraining, isLapsed: false })
    } else if (act === 'keep') {
      await this.#keep(id)
    } else if (known && act === 'lapse') {
      await this.#world.lapse(id)
      known.isLapsed = true
    } else if (known && !known.isLapsed && act === 'remove') {
      await store.removeWorker(id, known.instance)
      this.model.retire(id)
    }
  }

  async #gateway({ gateway, isGone }: GatewayStep): Promise<void> {
    const id = gatewayIds[gateway]!
    if (isGone) {
      await this.#world.store.removeGateway(id)
      this.model.gateways.delete(id)
    } else {
      await this.#world.store.renewGateway(id)
      this.model.gateways.add(id)
    }
  }

  async #compare(): Promise<void> {
    await this.#compareWorkers()
    const rows = await Promise.all(sessionIds.map((id) => this.#world.store.session(id)))
    const kept = rows.filter((row) => row !== null)
    const expected = sessionIds.flatMap((id) => this.model.rows.get(id) ?? [])
    expect(kept).toEqual(expected.map(rowOf))
    const page = await this.#world.store.listSessions({ owner: null, cursor: null, limit: 10 })
    expect(page).toEqual({ sessions: kept, cursor: null })
    for (const { id, token } of kept) {
      expect(token).toBeGreaterThanOrEqual(this.#highestTokens.get(id) ?? 0)
      this.#highestTokens.set(id, token)
    }
    for (const id of sessionIds) if (!this.model.rows.has(id)) this.#highestTokens.delete(id)
  }

  async #compareWorkers(): Promise<void> {
    const { store } = this.#world
    const { live, lapsed } = await store.workers()
    const known = [...this.model.workers].sort(([a], [b]) => (a < b ? -1 : 1))
    expect(lapsed).toEqual(known.filter(([, worker]) => worker.isLapsed).map(([id]) => id))
    expect(live).toEqual(
      known
        .filter(([, worker]) => !worker.isLapsed)
        .map(([id, { instance, draining }]) => ({
          ...offerOf(id, instance, draining),
          ...this.model.usage(id)
        }))
    )
    for (const { reservedBytes } of live)
      if (!this.#mayOvercommit) expect(reservedBytes).toBeLessThanOrEqual(capacityBytes)
  }

  /** Not after each step: it sets right what the steps must not leave wrong. */
  async #keep(workerId: string): Promise<void> {
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
    const kept = (await this.#world.store.keepSessions(workerId)).sort(byId)
    expect(kept).toEqual(
      this.model
        .on(workerId)
        .sort(byId)
        .map((row) => ({
          ...{ id: row.id, token: row.token, gateway: this.model.holder(row) },
          ...{ isMovingIn: row.workerId !== workerId, version: expect.any(String) as string },
          ...{ state: row.state, deviceBytes: row.deviceBytes }
        }))
    )
  }
}

/** As the store must give it. */
function rowOf({ overtaken: _, movedToken: __, ...row }: ModelRow): object {
  const aTime = expect.any(Number) as number
  return { ...row, createdAtMs: aTime, touchedAtMs: aTime, deadlineMs: row.gatewayId === null ? aTime : null }
}

function offerOf(id: string, instance: string, draining: boolean): WorkerOffer {
  return {
    id,
    instance,
    draining,
    parkableBytes: 0,
    moved: noneMoved,
    pace: noPace,
    offer: { models: [hashModel], capacityBytes, device: 'none' }
  }
}

async function send(store: SessionStore, call: Call): Promise<string> {
  switch (call.name) {
    case 'openSession':
      return (await store.openSession(call.wish)).kind
    case 'takeSession':
      return (await store.takeSession(call.wish)).kind
    case 'replaceSession':
      return (await store.replaceSession(call.wish)).kind
    case 'beginMove':
      return store.beginMove(call.wish)
    case 'restoreSession':
      return store.restoreSession(call.row)
    case 'restoreLost':
      return store.restoreLost(call.row)
    case 'commitMove':
      return (await store.commitMove(call.key.id, call.key.token, call.settled)).kind
    case 'settleSession':
      return store.settleSession(call.key.id, call.key.token, call.settled)
    case 'touchSession':
      return store.touchSession(call.key.id, call.key.token, { epoch: 0, lastSeq: call.lastSeq })
    case 'unparkSession':
      return store.unparkSession(call.key.id, call.key.token, call.bytes)
    default:
      return store[call.name](call.key.id, call.key.token)
  }
}

export interface CallStep {
  kind: 'call'
  name: Call['name']
  session: number
  worker: number
  gateway: number
  bytes: number
  tokenBy: number
  hash: number
  isPlain: boolean
  sends: number
}
interface AgainStep {
  kind: 'again'
  back: number
  sends: number
}
export interface WorkerStep {
  kind: 'worker'
  act: 'register' | 'renew' | 'return' | 'keep' | 'lapse' | 'reap' | 'remove'
  worker: number
  isDraining: boolean
}
interface GatewayStep {
  kind: 'gateway'
  gateway: number
  isGone: boolean
}
export type Step = CallStep | AgainStep | WorkerStep | GatewayStep
