import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairShare } from '../../../src/inference/fairness/fair-share.ts'
import { pickStep } from '../../../src/inference/scheduling/scheduler.ts'

const candidate = (slot: string, planKey: string, waitingSince: number, tenant = 'key') => ({
  ...{ slot, tenant, planKey, waitingSince, expectedCost: 0 }
})
const shares = new FairShare()

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
  expect(pickStep(candidates, { maxBatch, shares, isHeld: () => false }).map(({ slot }) => slot)).toEqual(
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
      shares,
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
        for (const picked of pickStep(slots, { maxBatch, shares, isHeld: () => false })) {
          picked.waitingSince = ++turn
          stepsSince.set(picked.slot, 0)
        }
        expect(Math.max(...stepsSince.values())).toBeLessThan(slots.length)
      }
    })
  )
})

test('a key with one busy slot is stepped every second time, however many another key has', () => {
  const had = new FairShare()
  const slots = [
    candidate('only', 'p', 9, 'one'),
    ...[1, 2, 3, 4].map((i) => candidate(`${i}`, 'p', i, 'many'))
  ]
  let turn = 9
  const stepped = Array.from({ length: 8 }, () => {
    const [picked] = pickStep(slots, { maxBatch: 1, shares: had, isHeld: () => false })
    had.serve(picked!.tenant)
    had.charge(picked!.tenant, 10)
    picked!.waitingSince = ++turn
    return picked!.slot
  })
  expect(stepped).toEqual(['1', 'only', '2', 'only', '3', 'only', '4', 'only'])
})
