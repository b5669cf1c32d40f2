import { setTimeout as delay } from 'node:timers/promises'
import type { ParkReason } from '../../src/session.ts'
import { startCell } from '../faults/cell.ts'
import { knowsResumable, newCrowd } from '../faults/crowd.ts'
import { randomNumbers } from '../random.ts'
import { churn } from './churn.ts'
import { growthOf } from './flat.ts'
import type { Growth, Measures } from './flat.ts'
import { sampleLull } from './sample.ts'

export interface Soak {
  growths: Growth[]
  counts: SoakCounts
  /** Processes that ended by themselves. */
  exits: string[]
  logsFolder: string
}

/** What sessions went through. */
export interface SoakCounts {
  opened: number
  resumed: number
  /** Lost their device memory, by why, and went on. */
  parked: Record<ParkReason, number>
}

export interface SoakOptions {
  minutes: number
  clients: number
}

const graceMs = 2000
/** Longer than a session must be idle before another takes its memory. */
const parkAfterMs = 3500
/** Room for 16 sessions of ovda or 6 of vda-stream: less than both workers are asked for, so that the idle make room. */
const memoryMib = 1
/** After each round everybody leaves, and it is measured what stays. */
const roundMs = 10_000
const fewestRounds = 4

/** What a collector of garbage leaves lying. */
const tolerance = {
  share: 0.15,
  atLeast: { 'RSS, MiB': 40, 'open files': 8, 'memory, MiB': 4, keys: 40, clients: 2, jobs: 0, sessions: 0 }
}

/** Two gateways and two workers under clients that never stop coming and going. */
export async function playSoak({ clients, minutes }: SoakOptions): Promise<Soak> {
  const exits: string[] = []
  const onExit = (what: string): void => void exits.push(what)
  const cell = await startCell({
    ...{ gateways: 2, workers: 2, withCpu: false, graceMs, parkAfterMs, memoryMib, onExit }
  })
  try {
    const canResume = await knowsResumable(newCrowd(cell))
    const samples: Measures[] = []
    const counts: SoakCounts = { opened: 0, resumed: 0, parked: { idle: 0, capacity: 0 } }
    const count = {
      onCycle: (): void => void counts.opened++,
      onResumed: (): void => void counts.resumed++,
      onParked: (reason: ParkReason): void => void counts.parked[reason]++
    }
    const untilMs = performance.now() + minutes * 60_000
    while (performance.now() < untilMs || samples.length < fewestRounds) {
      const crowd = { ...newCrowd(cell), canResume }
      const churning = Array.from({ length: clients }, (_, i) =>
        churn({
          ...{ crowd, name: `s${i}`, mode: i % 2 === 0 ? 'ovda' : 'vda-stream', ...count },
          random: randomNumbers(counts.opened + i)
        })
      )
      await delay(roundMs)
      crowd.phase = 'ending'
      crowd.end()
      await Promise.all(churning)
      samples.push(await sampleLull(cell))
    }
    return { growths: growthOf(samples, tolerance), counts, exits, logsFolder: cell.logsFolder }
  } finally {
    await cell.close()
  }
}
