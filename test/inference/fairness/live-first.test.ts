import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LiveFirst, mostPassed } from '../../../src/inference/fairness/live-first.ts'
import type { ClassedClaim } from '../../../src/inference/fairness/live-first.ts'
import type { ServiceClass } from '../../../src/metering/measures.ts'

interface Session extends ClassedClaim {
  name: string
  cost: number
}

function session(service: ServiceClass, name: string, { tenant = 'key', cost = 1 } = {}): Session {
  return { service, name, tenant, cost, expectedCost: cost, waitingSince: 0 }
}

/** Who had each of so many turns, where all of those who are ready always wait for one. */
function serve(turns: LiveFirst, ready: Session[], count: number): Session[] {
  return Array.from({ length: count }, (_, i) => {
    const [next] = turns.order(ready) as [Session]
    turns.serve([next], ready)
    turns.charge(next, next.cost)
    next.waitingSince = i + 1
    return next
  })
}

const namesOf = (sessions: readonly Session[]) => sessions.map(({ name }) => name)

test('a clip has no turn while a live session waits, whatever either had, until it was passed over so often', () => {
  const [camera, clip] = [session('live', 'camera'), session('clip', 'clip')]
  const served = namesOf(serve(new LiveFirst(), [clip, camera], 3 * (mostPassed + 1)))
  const round = [...Array.from({ length: mostPassed }, () => 'camera'), 'clip']
  expect(served).toEqual([...round, ...round, ...round])
})

test('where no live session waits clips have every turn, and those do not count as passed over', () => {
  const turns = new LiveFirst()
  const [camera, clip] = [session('live', 'camera'), session('clip', 'clip')]
  expect(new Set(namesOf(serve(turns, [clip], 100)))).toEqual(new Set(['clip']))
  expect(namesOf(serve(turns, [camera], 100))).not.toContain('clip')
  expect(namesOf(serve(turns, [camera, clip], mostPassed))).not.toContain('clip')
})

test('however many clips there are and whatever their turns take, they have less than a twentieth of a busy device', () => {
  const cost = fc.integer({ min: 1, max: 500 })
  const costs = (minLength: number) => fc.array(cost, { minLength, maxLength: 6 })
  fc.assert(
    fc.property(costs(1), costs(1), (live, clips) => {
      const of = (service: ServiceClass, all: number[]) =>
        all.map((each, i) => session(service, `${service} ${i}`, { tenant: `key ${i % 3}`, cost: each }))
      const sessions = [...of('live', live), ...of('clip', clips)]
      const served = serve(new LiveFirst(), sessions, 300)
      let [had, passed] = [0, 0]
      for (const { service, cost: taken } of served) {
        if (service === 'live') passed += taken
        else {
          had += taken
          expect(mostPassed * had).toBeLessThanOrEqual(passed)
        }
      }
    })
  )
})

test('nobody starves: every clip has turns beside live sessions that always wait, keys by their shares', () => {
  const cost = fc.integer({ min: 1, max: 8 })
  fc.assert(
    fc.property(cost, cost, cost, (camera, one, many) => {
      const clips = [
        session('clip', 'one', { tenant: 'one', cost: one }),
        ...['many 0', 'many 1', 'many 2'].map((name) => session('clip', name, { tenant: 'many', cost: many }))
      ]
      const most = Math.max(one, many)
      // What is passed over before a turn of a clip, and that turn; one a clip and key, as shares allow.
      const round = mostPassed * Math.max(1, Math.ceil(most / camera)) + 1
      const turns = 8 * round * Math.ceil(most / Math.min(one, many))
      const served = serve(new LiveFirst(), [session('live', 'camera', { cost: camera }), ...clips], turns)
      expect(new Set(namesOf(served)).size).toBe(1 + clips.length)
      const had = (tenant: string) =>
        served.filter((each) => each.tenant === tenant).reduce((sum, each) => sum + each.cost, 0)
      expect(Math.abs(had('one') - had('many'))).toBeLessThanOrEqual(most)
    }),
    { numRuns: 30 }
  )
})

test('what a clip had costs the live sessions of its key nothing', () => {
  const turns = new LiveFirst()
  serve(turns, [session('clip', 'clip', { tenant: 'a', cost: 50 })], 100)
  const cameras = ['a', 'b'].map((tenant) => session('live', tenant, { tenant }))
  const served = namesOf(serve(turns, cameras, 20))
  expect(served.filter((name) => name === 'a')).toHaveLength(10)
})
