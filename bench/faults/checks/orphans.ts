import { storeTimes } from '../../../src/sessions/session-store.ts'
import type { FaultKind } from '../plan.ts'
import type { FaultRecord, Look, RunRecord, SessionRecord } from '../record.ts'
import { isOutcome } from './outcomes.ts'

/** By which Redis loses what it had. */
const forgetful: ReadonlySet<FaultKind> = new Set(['redisEmpty', 'redisFlush', 'redisStale'])
/** For a worker that lives to write its rows anew. */
const returnMs = 15_000
/** The lease of a worker. One that came back with an older copy of Redis ends before it could be over if it was renewed since. */
const leaseMs = storeTimes.workerTtlMs
/** A frame without an outcome for longer has no worker that serves it. */
const unreadMs = 10_000
/** For a gateway to do the same. */
const calmMs = 5000
/** By which it cannot: it is gone, or reaches Redis only once others count the session as over. */
const silencing: ReadonlySet<FaultKind> = new Set([
  ...(['gatewayKill', 'gatewayTerm', 'linkBlackHole', 'linkHalfOpen'] as const)
])

/**
 * Sessions that Redis alone had when it forgot them: their worker was lost, or had not read that it was to have them, and no
 * gateway held them, or the one that did was gone, or cut off, before it could write them anew. Nobody can know of them any
 * more. By the servers' name.
 */
export function orphans({ faults, looks, sessions }: RunRecord): Set<string> {
  const forgettings = faults.filter(({ kind }) => forgetful.has(kind))
  return new Set(
    forgettings.flatMap((fault) => {
      const living = workersAfter(looks, fault)
      const silenced = faults.filter((one) => silencing.has(one.kind) && isWithin(one, fault))
      const forgetting = { fault, living, looks, silenced }
      return sessions.filter((session) => isOrphan(session, forgetting)).map(({ id }) => id)
    })
  )
}

interface Forgetting {
  fault: FaultRecord
  /** Workers that were there afterwards. */
  living: ReadonlySet<string>
  looks: readonly Look[]
  /** What hit gateways before they could write anything anew. */
  silenced: readonly FaultRecord[]
}

function isOrphan(session: SessionRecord, forgetting: Forgetting): boolean {
  const { fault, living, looks } = forgetting
  const { id } = session
  if (!isUnheld(session, forgetting)) return false
  const last = looks.findLast((look) => look.atMs <= fault.toMs && workerOf(look, id) !== null)
  const worker = last ? workerOf(last, id) : null
  return worker === null || !living.has(worker) || isUnserved(session, forgetting)
}

/** Whether its frames had waited for so long that the worker which had it by its row had not read of it. */
function isUnserved({ entries }: SessionRecord, { fault }: Forgetting): boolean {
  const before = entries.filter(({ atMs }) => atMs <= fault.fromMs)
  const since = before.findLastIndex(({ type }) => type === 'opened' || type === 'resumed')
  const served = before.slice(since + 1)
  const first = served.find(({ type }) => type === 'sent')
  return first !== undefined && fault.fromMs - first.atMs > unreadMs && !served.some(isOutcome)
}

/** Whether no gateway had it when Redis was back, or the one that did was silenced. */
function isUnheld({ entries }: SessionRecord, { fault, silenced }: Forgetting): boolean {
  const before = entries.filter(({ atMs }) => atMs <= fault.toMs)
  const state = before.findLast(({ type }) => ['opened', 'resumed', 'cut', 'lost', 'ended'].includes(type))
  if (state?.type === 'cut' || state?.type === 'lost') return true
  const next = entries.find(
    (entry) => entry.atMs > fault.toMs && (entry.type === 'cut' || entry.type === 'lost')
  )
  if (!next || !isWithin({ fromMs: next.atMs, toMs: next.atMs }, fault)) return false
  return silenced.some(
    ({ target }) => next.type === 'lost' || (next.type === 'cut' && target === `gateway${next.gateway}`)
  )
}

/** What began before and was not over is felt as well. */
function isWithin(one: Pick<FaultRecord, 'fromMs' | 'toMs'>, { fromMs, toMs }: FaultRecord): boolean {
  return one.toMs >= fromMs && one.fromMs <= toMs + calmMs
}

function workersAfter(looks: readonly Look[], { toMs }: FaultRecord): Set<string> {
  const after = looks.filter(({ atMs }) => atMs > toMs && atMs <= toMs + returnMs)
  const renewed = after.flatMap(({ workers }) =>
    workers.filter(({ leaseEndMs }) => leaseEndMs >= toMs + leaseMs)
  )
  return new Set(renewed.map(({ id }) => id))
}

function workerOf({ workers }: Look, session: string): string | null {
  return workers.find(({ sessionIds }) => sessionIds.includes(session))?.id ?? null
}
