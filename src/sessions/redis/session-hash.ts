import { noPace } from '../../metering/engine-pace.ts'
import type { EnginePace } from '../../metering/engine-pace.ts'
import type { EngineOffer, Mode } from '../../session.ts'
import { sessionArrows } from '../session-states.ts'
import type { SessionArrow, SessionState } from '../session-states.ts'
import { noneMoved } from '../session-store.ts'
import type {
  MovedSessions,
  SessionReservation,
  SessionRow,
  SessionTerms,
  WorkerRow,
  Workers
} from '../session-store.ts'

/** How rows lie in Redis: hashes of strings, where '' is null. */
type Hash = Record<string, string>

type Value = string | number | boolean | SessionTerms | null

/** Fields and values in turn, as Lua gives a hash and HSET takes one. */
export function hashOf(fields: readonly string[]): Hash {
  const hash: Hash = {}
  for (let i = 0; i < fields.length; i += 2) hash[fields[i] ?? ''] = fields[i + 1] ?? ''
  return hash
}

export function fieldsOf(session: SessionReservation): (string | number)[] {
  return Object.entries(session).flatMap(([field, value]) => [field, asText(value)])
}

function asText(value: Value): string | number {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value)
  if (typeof value === 'boolean') return value ? '1' : '0'
  return value ?? ''
}

const writtenByScript = new Set([
  'state',
  'token',
  'deviceBytes',
  'gatewayId',
  'graceMs',
  'move',
  'deadlineMs'
])

/** What a row that is written anew keeps of the one that its worker knew. */
export function restoredFields(row: SessionRow): (string | number)[] {
  const kept = Object.entries(row).filter(([field]) => !writtenByScript.has(field))
  return kept.flatMap(([field, value]) => [field, asText(value as Value)])
}

/** Of the id of each worker, what its row has left in ms, and its fields and values, none of one that ran out. */
export function parseWorkers(rows: readonly [string, number, string[]][]): Workers {
  const workers: Workers = { live: [], lapsed: [], nextLapseMs: Infinity }
  for (const [id, leftMs, fields] of rows) {
    if (fields.length === 0) {
      workers.lapsed.push(id)
      continue
    }
    workers.live.push(parseWorker(hashOf(fields)))
    workers.nextLapseMs = Math.min(workers.nextLapseMs, leftMs)
  }
  return workers
}

function parseWorker(hash: Hash): WorkerRow {
  return {
    id: hash.id ?? '',
    instance: hash.instance ?? '',
    draining: hash.draining === '1',
    offer: JSON.parse(hash.offer ?? '') as EngineOffer,
    reservedBytes: Number(hash.reservedBytes),
    parkableBytes: Number(hash.parkableBytes ?? 0),
    pace: hash.pace ? (JSON.parse(hash.pace) as EnginePace) : noPace,
    moved: hash.moved ? (JSON.parse(hash.moved) as MovedSessions) : noneMoved,
    sessions: Number(hash.sessions)
  }
}

export function parseSession(hash: Hash): SessionRow {
  return {
    id: hash.id ?? '',
    model: hash.model ?? '',
    modelDigest: hash.modelDigest ?? '',
    mode: hash.mode as Mode,
    workerId: hash.workerId ?? '',
    workerInstance: hash.workerInstance ?? '',
    gatewayId: hash.gatewayId || null,
    tokenHash: hash.tokenHash ?? '',
    previousTokenHash: hash.previousTokenHash || null,
    owner: hash.owner || null,
    resumable: hash.resumable === '1',
    graceMs: Number(hash.graceMs),
    priority: Number(hash.priority),
    state: hash.state as SessionState,
    bytes: Number(hash.bytes),
    deviceBytes: Number(hash.deviceBytes),
    terms: hash.terms ? (JSON.parse(hash.terms) as SessionTerms) : null,
    move: parseMove(hash),
    token: Number(hash.token),
    epoch: Number(hash.epoch),
    lastSeq: Number(hash.lastSeq),
    createdAtMs: Number(hash.createdAtMs),
    touchedAtMs: Number(hash.touchedAtMs),
    deadlineMs: hash.deadlineMs ? Number(hash.deadlineMs) : null
  }
}

function parseMove({ moveWorkerId, moveWorkerInstance, moveBytes }: Hash): SessionRow['move'] {
  if (!moveWorkerId) return null
  return { workerId: moveWorkerId, workerInstance: moveWorkerInstance ?? '', bytes: Number(moveBytes) }
}

/** What the script of a change takes of the table of arrows. */
export function arrowsOf(arrow: SessionArrow): string {
  return arrows[arrow]
}

const arrows = Object.fromEntries(
  Object.entries(sessionArrows).map(([name, to]) => [name, JSON.stringify(to)])
) as Record<SessionArrow, string>
