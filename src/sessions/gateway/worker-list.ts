import { LeadlineError } from '../../errors.ts'
import type { GatewayLink } from '../link.ts'
import type { ListedWorker } from '../sessions.ts'
import type { Roster } from './roster.ts'

export async function listWorkers(roster: Roster): Promise<ListedWorker[]> {
  const { live } = await roster.read()
  return live.map(({ id, draining, sessions, reservedBytes, moved, offer: { capacityBytes, device } }) => ({
    ...{ id, draining, sessions, reservedBytes, moved, capacityBytes, device }
  }))
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
