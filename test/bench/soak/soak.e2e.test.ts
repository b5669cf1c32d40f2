import { expect, test } from 'vitest'
import { isFlat } from '../../../bench/soak/flat.ts'
import type { Growth } from '../../../bench/soak/flat.ts'
import { playSoak } from '../../../bench/soak/play.ts'

/** On a slow machine a heap may still fill up to its first full collection; ten minutes tell more: `npm run bench soak`. */
const fillingMib = 160
const isStillFilling = ({ name, early, late }: Growth): boolean =>
  name.endsWith('RSS, MiB') && late < early + fillingMib

test(
  'nothing grows while clients come, leave, are parked, resume and crash for three minutes',
  { timeout: 900_000 },
  async () => {
    const { counts, exits, growths } = await playSoak({ minutes: 3, clients: 24 })
    expect(growths.filter((growth) => !isFlat(growth) && !isStillFilling(growth))).toEqual([])
    expect(exits).toEqual([])
    // So that a time in which nobody came does not pass.
    expect(counts.opened).toBeGreaterThan(200)
    expect(counts.resumed).toBeGreaterThan(100)
    expect(counts.parked.capacity).toBeGreaterThan(30)
    expect(growths.length).toBeGreaterThan(10)
  }
)
