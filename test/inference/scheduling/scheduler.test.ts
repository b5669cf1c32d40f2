import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LiveFirst, mostPassed } from '../../../src/inference/fairness/live-first.ts'
import { pickStep } from '../../../src/inference/scheduling/scheduler.ts'

const candidate = (slot: string, planKey: string, waitingSince: number, tenant = 'key') => ({
  ...{ slot, tenant, planKey, waitingSince, expectedCost: 0, service: 'live' as const }
})
const clip = (slot: string, planKey: string, waitingSince: number, tenant = 'key') => ({
  ...candidate(slot, planKey, waitingSince, tenant),
  service: 'clip' as const
})
const turns = new LiveFirst()

test.each([
  ['nothing waits, nothing runs', [], 4, []],
  ['who has waited longest runs first', [candidate('a', 'p', 5), candidate('b', 'p', 2)], 1, ['b']],
  [
    'a step holds one plan only',
    [candidate('a', 'p', 1), candidate('b', 'q', 2), candidate('c', 'p', 3)],
    4,
    ['a', 'c']
  ],
  [
    'a step holds no more rows than the executor takes, longest waiting first',
    [candidate('a', 'p', 3), candidate('b', 'p', 1), candidate('c', 'p', 2)],
    2,
    ['b', 'c']
  ],
  [
    'a step holds as many rows as a batch is built for: three wait, two run',
    [candidate('a', 'p', 3), candidate('b', 'p', 1), candidate('c', 'p', 2)],
    4,
    ['b', 'c']
  ]
])('%s', (_, candidates, maxBatch, slots) => {
  expect(pickStep(candidates, { maxBatch, turns, isHeld: () => false }).map(({ slot }) => slot)).toEqual(
    slots
  )
})

test('while the step of one plan is held back, the plan that has waited next longest runs', () => {
  const candidates = [
    candidate('a', 'p', 1),
    candidate('b', 'q', 3),
    candidate('c', 'r', 2),
    candidate('d', 'p', 4),
    candidate('e', 'r', 5)
  ]
  const asked: string[] = []
  const pick = (...held: string[]) =>
    pickStep(candidates, {
      maxBatch: 4,
      turns,
      isHeld: ({ slot }) => asked.push(slot) > 0 && held.includes(slot)
    })
  expect(pick('a').map(({ slot }) => slot)).toEqual(['c', 'e'])
  expect(pick('a', 'c').map(({ slot }) => slot)).toEqual(['b'])
  expect(pick('a', 'b', 'c')).toEqual([])
  expect(asked).toEqual(['a', 'c', 'a', 'c', 'b', 'a', 'c', 'b'])
})

test('however plans are mixed, each of N busy slots runs at least once in N steps', () => {
  const plans = fc.array(fc.constantFrom('p', 'q', 'r'), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(plans, fc.integer({ min: 1, max: 4 }), (planKeys, maxBatch) => {
      const slots = planKeys.map((planKey, i) => candidate(String(i), planKey, 0))
      const stepsSince = new Map(slots.map(({ slot }) => [slot, 0]))
      let turn = 0
      for (let step = 0; step < 5 * slots.length; step++) {
        for (const [slot, steps] of stepsSince) stepsSince.set(slot, steps + 1)
        for (const picked of pickStep(slots, { maxBatch, turns, isHeld: () => false })) {
          picked.waitingSince = ++turn
          stepsSince.set(picked.slot, 0)
        }
        expect(Math.max(...stepsSince.values())).toBeLessThan(slots.length)
      }
    })
  )
})

test('a key with one busy slot is stepped every second time, however many another key has', () => {
  const had = new LiveFirst()
  const slots = [
    candidate('only', 'p', 9, 'one'),
    ...[1, 2, 3, 4].map((i) => candidate(`${i}`, 'p', i, 'many'))
  ]
  let turn = 9
  const stepped = Array.from({ length: 8 }, () => {
    const [picked] = pickStep(slots, { maxBatch: 1, turns: had, isHeld: () => false })
    had.serve([picked!], slots)
    had.charge(picked!, 10)
    picked!.waitingSince = ++turn
    return picked!.slot
  })
  expect(stepped).toEqual(['1', 'only', '2', 'only', '3', 'only', '4', 'only'])
})

test('a clip has no row in the step of live frames, however long it waits, and steps with other clips when there are none', () => {
  const clips = [clip('c', 'p', 1), clip('d', 'p', 2)]
  const pick = (candidates: (ReturnType<typeof candidate> | ReturnType<typeof clip>)[], ...held: string[]) =>
    pickStep(candidates, { maxBatch: 4, turns, isHeld: ({ slot }) => held.includes(slot) }).map(
      ({ slot }) => slot
    )
  expect(pick([...clips, candidate('a', 'p', 9), candidate('b', 'p', 8)])).toEqual(['b', 'a'])
  expect(pick(clips)).toEqual(['c', 'd'])
  // The live step waits for company: the device waits with it, since a clip's would be in its way.
  expect(pick([...clips, candidate('a', 'p', 9)], 'a')).toEqual([])
})

test('a clip whose turn is due steps without live rows, and once', () => {
  const had = new LiveFirst()
  const slots = [candidate('a', 'p', 1), clip('c', 'p', 2), candidate('b', 'p', 3)]
  const stepped = Array.from({ length: mostPassed + 2 }, () => {
    const picked = pickStep(slots, { maxBatch: 4, turns: had, isHeld: () => false })
    had.serve(picked, slots)
    return picked.map(({ slot }) => slot).join()
  })
  expect(stepped).toEqual([...Array.from({ length: mostPassed }, () => 'a,b'), 'c', 'a,b'])
})
