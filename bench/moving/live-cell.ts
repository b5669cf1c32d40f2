import { startCell } from '../faults/cell.ts'
import type { Cell } from '../faults/cell.ts'
import { openViewers } from './viewers.ts'
import type { Viewer } from './viewers.ts'

/** As many as are asked for, at once. */
export const sessions = Number(process.env['BENCH_SESSIONS'] ?? 50)

export interface LiveCellOptions {
  sessions: number
  workers: number
  /** As of a cell. @default said on stderr */
  onExit?: (what: string) => void
}

export interface LiveCell {
  cell: Cell
  viewers: Viewer[]
}

/** Two gateways and some workers of the fake executor, as processes of their own, under live sessions. Whoever starts it closes both. */
export async function startLiveCell({ sessions, workers, onExit = say }: LiveCellOptions): Promise<LiveCell> {
  const cell = await startCell({
    ...{ gateways: 2, workers, withCpu: false, graceMs: 45_000, isDirect: true, onExit }
  })
  const urls = cell.gateways.map(({ said }) => said[0]!.replace('http', 'ws'))
  return { cell, viewers: await openViewers(sessions, urls) }
}

function say(what: string): void {
  process.stderr.write(`${what}\n`)
}
