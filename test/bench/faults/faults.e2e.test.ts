import { expect, test } from 'vitest'
import { checkRun } from '../../../bench/faults/checks/index.ts'
import { tallyOf } from '../../../bench/faults/figures.ts'
import { playFaults } from '../../../bench/faults/run.ts'

/** Drawn once: what fails here fails again. `npm run bench faults` draws others. */
const seed = 12

test(
  'sessions keep what they promise while workers, gateways, Redis and the network fail for a minute',
  { timeout: 600_000 },
  async () => {
    const { record } = await playFaults({
      ...{ seed, minutes: 1, clients: 80, cpuClients: 1, gateways: 2, workers: 3 },
      say: () => {}
    })
    const breaches = checkRun(record, { strict: true })
    const { faults, frames, sessions } = tallyOf(record, breaches)
    expect(breaches.slice(0, 20)).toEqual([])
    // So that a run in which nothing happened does not pass.
    expect(sessions).toBeGreaterThan(80)
    expect(frames.results).toBeGreaterThan(500)
    expect(faults['workerKill']).toBeGreaterThanOrEqual(14)
    expect(faults['gatewayKill']).toBeGreaterThanOrEqual(4)
    expect(Object.keys(faults).length).toBeGreaterThan(12)
  }
)
