import { expect, test } from 'vitest'
import { Steadiness } from '../../../src/sessions/gateway/steadiness.ts'

function steadyAfter(...answeredAtMs: number[]): boolean {
  const steadiness = new Steadiness()
  for (const atMs of answeredAtMs) steadiness.answered(atMs)
  return steadiness.isSteady
}

const onTime = [0, 500, 1000, 1500, 2000, 2500, 3000]

test('answers in time for as long as a lease make it steady', () => {
  expect(steadyAfter(...onTime)).toBe(true)
})

test('it is not steady before that', () => {
  expect(steadyAfter()).toBe(false)
  expect(steadyAfter(5000)).toBe(false)
  expect(steadyAfter(...onTime.slice(0, -1))).toBe(false)
})

test('an answer that came late begins it anew, be it the last', () => {
  expect(steadyAfter(...onTime, 4001)).toBe(false)
  expect(steadyAfter(...onTime, 4001, 4500, 5000, 6000, 7000)).toBe(false)
  expect(steadyAfter(...onTime, 4001, 4500, 5000, 6000, 7000, 7001)).toBe(true)
})
