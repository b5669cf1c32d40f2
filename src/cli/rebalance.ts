import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { untilInterrupted } from './interrupt.ts'
import { counted, workersOf } from './remote-workers.ts'
import type { RemoteWorker } from './remote-workers.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress, Shown } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'
import { textTable } from './text-table.ts'

/** Twice as long as a worker takes to say what it moved: as long as that rises, there is more to come. */
const lookMs = 1000
const looksAlike = 2

export function rebalanceCommand(): Command {
  return addServerAddress(
    new Command('rebalance')
      .description('Even the load of the workers out: fuller ones give sessions to emptier ones.')
      .option('--dry-run', 'say what would move and why, and move nothing')
  ).action(async ({ dryRun = false, ...address }: ServerAddress & { dryRun?: boolean }) => {
    const key = await keyFor(address)
    const work = dryRun ? showPlan : rebalance
    await untilInterrupted((signal) => work(baseOf(address), { key, signal }))
  })
}

/** What the server says would move; openapi.yaml describes it. */
interface RemotePlan {
  moves: {
    session: string
    model: string
    from: string
    to: string
    bytes: number
    fromShare: number
    toShare: number
  }[]
  workers: {
    id: string
    draining: boolean
    sessions: number
    sessionsAfter: number
    share: number
    shareAfter: number
  }[]
}

async function showPlan(base: URL, shown: Shown): Promise<void> {
  const response = await requestServer(new URL('v1/workers/rebalance', base), shown)
  const { moves, workers } = (await response.json()) as RemotePlan
  const rows = moves.map(({ session, model, from, to, bytes, fromShare, toShare }) => [
    ...[session, model, from, to, `${(bytes / 2 ** 20).toFixed(1)} MiB`],
    `${from} is ${percent(fromShare)} full, ${to} ${percent(toShare)}`
  ])
  for (const line of textTable(['session', 'model', 'from', 'to', 'device', 'why'], rows)) console.log(line)
  for (const { id, draining, sessions, sessionsAfter, share, shareAfter } of workers) {
    const change = sessions === sessionsAfter ? '' : `, then ${sessionsAfter} and ${percent(shareAfter)}`
    console.log(
      `${id}: ${counted(sessions)}, ${percent(share)} full${change}${draining ? '; it is draining' : ''}`
    )
  }
  console.log(
    moves.length === 0
      ? 'Nothing would move: no move would make the load more even.'
      : `${counted(moves.length)} would move.`
  )
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
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
