import { setTimeout as delay } from 'node:timers/promises'
import { startCell } from '../faults/cell.ts'
import { knowsResumable, newCrowd } from '../faults/crowd.ts'
import { randomNumbers } from '../random.ts'
import { churn } from './churn.ts'
import { growthOf } from './flat.ts'
import type { Growth, Sample } from './flat.ts'
import { keepSampling } from './sample.ts'

export interface Soak {
  growths: Growth[]
  cycles: number
  /** Processes that ended by themselves. */
  exits: string[]
  logsFolder: string
}

export interface SoakOptions {
  minutes: number
  clients: number
}

/** What a collector of garbage leaves lying, and what is kept of finished turns. */
const tolerance = {
  share: 0.15,
  atLeast: { 'RSS, MiB': 40, 'open files': 12, 'memory, MiB': 4, keys: 60, clients: 6, jobs: 24 }
}

/** Two gateways and two workers under clients that never stop coming and going. */
export async function playSoak({ clients, minutes }: SoakOptions): Promise<Soak> {
  const exits: string[] = []
  const cell = await startCell({
    gateways: 2,
    workers: 2,
    withCpu: false,
    onExit: (what) => exits.push(what)
  })
  try {
    const crowd = newCrowd(cell)
    crowd.canResume = await knowsResumable(crowd)
    const samples: Sample[] = []
    let cycles = 0
    const sampling = keepSampling(cell, samples, () => crowd.phase === 'ending')
    const churning = Array.from({ length: clients }, (_, i) =>
      churn({ crowd, name: `s${i}`, random: randomNumbers(i + 1), onCycle: () => cycles++ })
    )
    await delay(minutes * 60_000)
    crowd.phase = 'ending'
    crowd.end()
    await Promise.all([sampling, ...churning])
    return { growths: growthOf(samples, tolerance), cycles, exits, logsFolder: cell.logsFolder }
  } finally {
    await cell.close()
  }
}
