import { setTimeout as delay } from 'node:timers/promises'
import type { Cell } from '../faults/cell.ts'
import { gaps } from './viewers.ts'
import type { Viewer } from './viewers.ts'

/** As supervisors wait before they replace the next. */
const pauseMs = 2000

/** What the replacing of one process did to the sessions. */
export interface Replacement {
  /** Of the process. */
  name: string
  /** Of each session, the longest time between two depth maps meanwhile, in milliseconds. */
  gapsMs: number[]
}

/** Tell every worker, then every gateway to stop, and start it anew, one after the other. */
export async function* roll(
  { gateways, workers }: Cell,
  viewers: readonly Viewer[]
): AsyncGenerator<Replacement> {
  for (const service of [...workers, ...gateways]) {
    const leavesMs = performance.now()
    await service.replace('SIGTERM')
    await delay(pauseMs)
    yield { name: service.name, gapsMs: gaps(viewers, leavesMs, performance.now()) }
  }
}
