import type { FaultKind } from '../plan.ts'
import type { FaultRecord, Look, RunRecord, SessionRecord } from '../record.ts'

/** By which Redis loses what it had. */
const forgetful: ReadonlySet<FaultKind> = new Set(['redisEmpty', 'redisFlush', 'redisStale'])
/** For a worker that lives to write its rows anew. */
const returnMs = 15_000

/**
 * Sessions that Redis alone had when it forgot them: their worker was lost, and no gateway held them. Nobody can know of them
 * any more. By the servers' name.
 */
export function orphans({ faults, looks, sessions }: RunRecord): Set<string> {
  const forgettings = faults.filter(({ kind }) => forgetful.has(kind))
  return new Set(
    forgettings.flatMap((fault) => {
      const living = workersAfter(looks, fault)
      return sessions.filter((session) => isOrphan(session, { fault, living, looks })).map(({ id }) => id)
    })
  )
}

interface Forgetting {
  fault: FaultRecord
  /** Workers that were there afterwards. */
  living: ReadonlySet<string>
  looks: readonly Look[]
}

function isOrphan({ entries, id }: SessionRecord, { fault, living, looks }: Forgetting): boolean {
  const before = entries.filter(({ atMs }) => atMs <= fault.toMs)
  const state = before.findLast(({ type }) => ['opened', 'resumed', 'cut', 'lost', 'ended'].includes(type))
  if (state?.type !== 'cut' && state?.type !== 'lost') return false
  const last = looks.findLast((look) => look.atMs <= fault.fromMs && workerOf(look, id) !== null)
  const worker = last ? workerOf(last, id) : null
  return worker === null || !living.has(worker)
}

function workersAfter(looks: readonly Look[], { toMs }: FaultRecord): Set<string> {
  const after = looks.filter(({ atMs }) => atMs > toMs && atMs <= toMs + returnMs)
  return new Set(after.flatMap(({ workers }) => workers.map(({ id }) => id)))
}

function workerOf({ workers }: Look, session: string): string | null {
  return workers.find(({ sessionIds }) => sessionIds.includes(session))?.id ?? null
}
