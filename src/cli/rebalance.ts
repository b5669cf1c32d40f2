import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { untilInterrupted } from './interrupt.ts'
import { counted, workersOf } from './remote-workers.ts'
import type { RemoteWorker } from './remote-workers.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress, Shown } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'

/** Twice as long as a worker takes to say what it moved: as long as that rises, there is more to come. */
const lookMs = 1000
const looksAlike = 2

export function rebalanceCommand(): Command {
  return addServerAddress(
    new Command('rebalance').description(
      'Even the load of the workers out: fuller ones give sessions to emptier ones.'
    )
  ).action(async (address: ServerAddress) => {
    const key = await keyFor(address)
    await untilInterrupted((signal) => rebalance(baseOf(address), { key, signal }))
  })
}

async function rebalance(base: URL, shown: Shown): Promise<void> {
  const before = await workersOf(base, shown)
  await requestServer(new URL('v1/workers/rebalance', base), { method: 'POST', ...shown })
  let now = before
  for (let alike = 0; alike < looksAlike;) {
    await wait(lookMs, undefined, { signal: shown.signal })
    const next = await workersOf(base, shown)
    alike = movedBy(next) === movedBy(now) ? alike + 1 : 0
    now = next
  }
  for (const { id, sessions } of now) {
    const had = before.find((one) => one.id === id)?.sessions ?? 0
    console.log(`${id}: ${counted(sessions)}${sessions === had ? '' : `, ${had} before`}`)
  }
  console.log(`${counted(movedBy(now) - movedBy(before))} moved.`)
}

function movedBy(workers: readonly RemoteWorker[]): number {
  return workers.reduce((sum, { moved }) => sum + moved.sessions, 0)
}
