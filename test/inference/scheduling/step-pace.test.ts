import { expect, test } from 'vitest'
import type { ServiceClass } from '../../../src/metering/measures.ts'
import { StepPace } from '../../../src/inference/scheduling/step-pace.ts'

/** A pace that knows steps of one row and of two, of two plans. */
function measured(): StepPace {
  const pace = new StepPace(4)
  for (const planKey of ['p', 'q']) {
    pace.measured(planKey, 1, 30)
    pace.measured(planKey, 2, 32)
  }
  return pace
}

/** One row is ready, another due at the moment. */
const group = (planKey: string, dueMs: number, service: ServiceClass = 'live') => ({
  ...{ planKey, service },
  ready: [{ lastMs: 0, intervalMs: 1000 }],
  coming: [{ lastMs: dueMs - 100, intervalMs: 100 }]
})

test('a step is held for the row that is due, and no longer in all than the step takes', () => {
  const pace = measured()
  expect(pace.hold(group('p', 10), 0)).toBe(10)
  expect(pace.hold(group('p', 25), 10)).toBe(15)
  expect(pace.hold(group('p', 35), 25)).toBe(0)
  expect(pace.hold(group('p', 35), 25)).toBe(10)
})

test('how long the step of one plan has been held says nothing about another', () => {
  const pace = measured()
  expect(pace.hold(group('p', 10), 0)).toBe(10)
  expect(pace.hold(group('q', 35), 10)).toBe(25)
  expect(pace.hold(group('p', 29), 10)).toBe(19)
})

test('how long a live step has been held says nothing about that of a clip', () => {
  const pace = measured()
  expect(pace.hold(group('p', 10), 0)).toBe(10)
  expect(pace.hold(group('p', 35, 'clip'), 10)).toBe(25)
  expect(pace.hold(group('p', 29), 10)).toBe(19)
})
