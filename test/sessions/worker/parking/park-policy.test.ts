import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Seat } from '../../../../src/sessions/worker/parking/park-policy.ts'
import {
  parkableBytes,
  parkSteps,
  parkTimes,
  toMakeRoom
} from '../../../../src/sessions/worker/parking/park-policy.ts'

const times = parkTimes(30_000)

function seat(id: string, over: Partial<Seat> = {}): Seat {
  return {
    ...{
      id,
      canPark: true,
      bytes: 100,
      priority: 5,
      isDetached: false,
      framesInFlight: 0,
      idleMs: 10_000,
      isNoticed: false
    },
    ...over
  }
}

test.each([
  ['one that was used just now', {}, []],
  ['one that will be parked soon', { idleMs: 26_000 }, ['notice 4000']],
  ['one that was told so', { idleMs: 26_000, isNoticed: true }, []],
  ['one that is idle for long', { idleMs: 30_000 }, ['park']],
  ['one with a frame in flight', { idleMs: 60_000, framesInFlight: 1 }, []],
  ['one that its engine cannot park', { idleMs: 60_000, canPark: false }, []],
  ['one without device memory', { idleMs: 60_000, bytes: 0 }, []],
  ['one that nobody holds', { idleMs: 5000, isDetached: true }, ['park']]
] as const)('of idle sessions: %s', (_, over, expected) => {
  const { notices, parks } = parkSteps([seat('a', over)], times)
  const steps = [...notices.map(({ deadlineMs }) => `notice ${deadlineMs}`), ...parks.map(() => 'park')]
  expect(steps).toEqual(expected)
})

test('where idle sessions keep their memory none is parked, however long it is idle', () => {
  expect(parkSteps([seat('a', { idleMs: 1e9 })], parkTimes(0))).toEqual({ notices: [], parks: [] })
})

test('room is made by lower priority first, then by who is idle for longest', () => {
  const seats = [
    seat('young'),
    seat('old', { idleMs: 20_000 }),
    seat('high', { idleMs: 90_000, priority: 9 }),
    seat('low', { priority: 0, idleMs: 3000 }),
    seat('live', { priority: 0, idleMs: 100 }),
    seat('clip', { priority: 0, canPark: false }),
    seat('busy', { priority: 0, framesInFlight: 1 })
  ]
  const made = (bytes: number) => toMakeRoom(seats, { bytes, spareMs: 2000 })
  expect(made(1)).toEqual(['low'])
  expect(made(101)).toEqual(['low', 'old'])
  expect(made(400)).toEqual(['low', 'old', 'young', 'high'])
  expect(made(401)).toEqual([])
  expect(parkableBytes(seats, 2000)).toBe(400)
})

test('room is made for what is wanted, with nobody parked in vain', () => {
  const seats = fc.array(
    fc.record({
      bytes: fc.nat(1000),
      priority: fc.nat(9),
      framesInFlight: fc.nat(1),
      idleMs: fc.nat(5000)
    })
  )
  fc.assert(
    fc.property(seats, fc.integer({ min: 1, max: 5000 }), (some, bytes) => {
      const all = some.map((over, i) => seat(`${i}`, over))
      const ids = toMakeRoom(all, { bytes, spareMs: 2000 })
      const chosen = all.filter(({ id }) => ids.includes(id))
      const sum = chosen.reduce((total, one) => total + one.bytes, 0)
      if (ids.length === 0) return void expect(parkableBytes(all, 2000)).toBeLessThan(bytes)
      expect(sum).toBeGreaterThanOrEqual(bytes)
      const last = all.find(({ id }) => id === ids.at(-1))
      expect(sum - (last?.bytes ?? 0)).toBeLessThan(bytes)
      for (const one of chosen) expect(one.framesInFlight === 0 && one.idleMs >= 2000).toBe(true)
    })
  )
})
