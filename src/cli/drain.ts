import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { untilInterrupted } from './interrupt.ts'
import { counted, workersOf } from './remote-workers.ts'
import type { RemoteWorker } from './remote-workers.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress, Shown } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'

const lookMs = 250
/** A worker that is told nothing new for so long is told again: it may have lost the note. */
const remindMs = 3000
/** Longer than a worker takes from one heartbeat to the next. */
const beatMs = 1000

export function drainCommand(): Command {
  return addServerAddress(
    new Command('drain')
      .description(
        'Give every session of a worker to others, before it is stopped. It takes no new ones from then on.'
      )
      .argument('<worker>', 'its id, as "leadline sessions" shows it')
  ).action(async (id: string, address: ServerAddress) => {
    const key = await keyFor(address)
    await untilInterrupted((signal) => drain(id, baseOf(address), { key, signal }))
  })
}

async function drain(id: string, base: URL, shown: Shown): Promise<void> {
  const before = workerIn(await workersOf(base, shown), id)
  console.log(`${id} has ${counted(before.sessions)}.`)
  const url = new URL(`v1/workers/${encodeURIComponent(id)}/drain`, base)
  let worker = before
  let told = -Infinity
  for (let left = before.sessions; !worker.draining || worker.sessions > 0;) {
    if (performance.now() - told > remindMs) {
      await requestServer(url, { method: 'POST', ...shown })
      told = performance.now()
    }
    await wait(lookMs, undefined, { signal: shown.signal })
    worker = workerIn(await workersOf(base, shown), id)
    if (worker.sessions === left) continue
    left = worker.sessions
    told = performance.now()
    console.log(`${counted(left)} left.`)
  }
  // What it moved last comes with its next heartbeat.
  await wait(beatMs, undefined, { signal: shown.signal })
  const { moved } = workerIn(await workersOf(base, shown), id)
  const count = moved.sessions - before.moved.sessions
  const stall = count > 0 ? `; the longest stood still for ${moved.longestStallMs} ms` : ''
  console.log(`${id} is empty: ${counted(count)} moved${stall}.`)
}

function workerIn(workers: readonly RemoteWorker[], id: string): RemoteWorker {
  const worker = workers.find((one) => one.id === id)
  if (worker) return worker
  const known = workers.map((one) => one.id).join(', ') || 'none'
  throw new LeadlineError('WORKER_UNKNOWN', `There is no worker ${id}; there are: ${known}`)
}
