import { LeadlineError } from '../../errors.ts'
import type { GatewayLink } from '../link.ts'
import type { WorkerRow } from '../session-store.ts'
import type { ListedWorker, Readiness } from '../sessions.ts'
import type { Roster } from './roster.ts'

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
