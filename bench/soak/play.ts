import { setTimeout as delay } from 'node:timers/promises'
import { startCell } from '../faults/cell.ts'
import { knowsResumable, newCrowd } from '../faults/crowd.ts'
import { randomNumbers } from '../random.ts'
import { churn } from './churn.ts'
import { growthOf } from './flat.ts'
import type { Growth, Measures } from './flat.ts'
import { sampleLull } from './sample.ts'

export interface Soak {
  growths: Growth[]
  cycles: number
  /** Sessions that lost their device memory while they were idle, and went on. */
  parked: number
  /** Processes that ended by themselves. */
  exits: string[]
  logsFolder: string
}

export interface SoakOptions {
  minutes: number
  clients: number
}

const graceMs = 2000
const parkAfterMs = 500
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
  const cell = await startCell({ gateways: 2, workers: 2, withCpu: false, graceMs, parkAfterMs, onExit })
  try {
    const canResume = await knowsResumable(newCrowd(cell))
    const samples: Measures[] = []
    let cycles = 0
    let parked = 0
    const onCycle = (): void => void cycles++
    const onParked = (): void => void parked++
    const untilMs = performance.now() + minutes * 60_000
    while (performance.now() < untilMs || samples.length < fewestRounds) {
      const crowd = { ...newCrowd(cell), canResume }
      const churning = Array.from({ length: clients }, (_, i) =>
        churn({ crowd, name: `s${i}`, random: randomNumbers(cycles + i), onCycle, onParked })
      )
      await delay(roundMs)
      crowd.phase = 'ending'
      crowd.end()
      await Promise.all(churning)
      samples.push(await sampleLull(cell))
    }
    return { growths: growthOf(samples, tolerance), cycles, parked, exits, logsFolder: cell.logsFolder }
  } finally {
    await cell.close()
  }
}
