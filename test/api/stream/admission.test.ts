import { expect, test } from 'vitest'
import { admit, mostUnsettled } from '../../../src/api/stream/admission.ts'

test.each([
  ['lossless', 7, false, 'submit'],
  ['lossless', 8, false, 'refuse'],
  ['lossless', 8, true, 'end'],
  ['latest', 8, false, 'submit'],
  ['latest', mostUnsettled - 1, true, 'submit'],
  ['latest', mostUnsettled, false, 'end']
] as const)('%s with %i unsettled frames, warned %s: %s', (delivery, unsettled, warned, verdict) => {
  expect(admit({ delivery, unsettled, warned, maxInFlight: 8 })).toBe(verdict)
})
