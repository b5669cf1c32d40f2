import { LeadlineError } from '../../errors.ts'
import type { GatewayLink } from '../link.ts'
import type { SessionRow, SessionStore, WorkerRow } from '../session-store.ts'
import type { ListedWorker, Readiness, RebalancePlan } from '../sessions.ts'
import { planRebalance } from './rebalance-plan.ts'
import type { Roster } from './roster.ts'

/** Rows that are read at once. */
const pageRows = 500

export async function listWorkers(roster: Roster): Promise<ListedWorker[]> {
  const { live } = await roster.read()
  return live.map(
    ({ id, draining, sessions, reservedBytes, moved, pace, offer: { capacityBytes, device } }) => ({
      ...{ id, draining, sessions, reservedBytes, moved, pace, capacityBytes, device }
    })
  )
}

/** Whether a session of the model, or of any, could be opened on one of these. */
export function readinessOf(live: readonly WorkerRow[], model: string | undefined): Readiness {
  const not = { ready: false, code: 'NO_WORKER' } as const
  if (live.length === 0) return { ...not, reason: 'No worker is alive', missing: ['worker'] }
  const open = live.filter((worker) => !worker.draining)
  if (open.length === 0)
    return { ...not, code: 'DRAINING', reason: 'Every worker is draining', missing: ['draining'] }
  if (model === undefined || open.some(({ offer }) => offer.models.some(({ name }) => name === model)))
    return { ready: true }
  return { ...not, reason: `No worker serves "${model}"`, missing: ['model'] }
}

/** Throws WORKER_UNKNOWN. */
export async function drainWorker(id: string, roster: Roster, link: GatewayLink): Promise<void> {
  const { live } = await roster.read()
  if (live.some((worker) => worker.id === id)) return link.tell(id, { type: 'drain' })
  const known = live.map((worker) => worker.id).join(', ') || 'none'
  throw new LeadlineError('WORKER_UNKNOWN', `There is no worker ${id}; there are: ${known}`)
}

export async function rebalanceWorkers(roster: Roster, link: GatewayLink): Promise<void> {
  const { live } = await roster.read()
  await Promise.all(live.map(({ id }) => link.tell(id, { type: 'rebalance' })))
}

/** What `rebalance` would do now. Throws STORE_UNAVAILABLE. */
export async function readRebalancePlan(roster: Roster, store: SessionStore): Promise<RebalancePlan> {
  const { live } = await roster.read()
  const sessions: SessionRow[] = []
  for (let cursor: string | null = null; ;) {
    const page = await store.listSessions({ owner: null, cursor, limit: pageRows })
    sessions.push(...page.sessions)
    cursor = page.cursor
    if (cursor === null) return planRebalance(live, sessions)
  }
}
