import { startCell } from '../faults/cell.ts'
import type { Cell } from '../faults/cell.ts'
import { openViewers } from './viewers.ts'

/** Two gateways and three workers of the fake executor, as processes of their own, under this many live sessions. */
export const sessions = Number(process.env['BENCH_SESSIONS'] ?? 50)

/** Whoever starts it closes both. */
export async function startLiveCell(): Promise<{
  cell: Cell
  viewers: Awaited<ReturnType<typeof openViewers>>
}> {
  const cell = await startCell({
    ...{ gateways: 2, workers: 3, withCpu: false, graceMs: 45_000, isDirect: true },
    onExit: (what) => process.stderr.write(`${what}\n`)
  })
  const urls = cell.gateways.map(({ said }) => said[0]!.replace('http', 'ws'))
  return { cell, viewers: await openViewers(sessions, urls) }
}
