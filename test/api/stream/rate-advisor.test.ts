import { expect, test } from 'vitest'
import { RateAdvisor } from '../../../src/api/stream/rate-advisor.ts'

/** A session that takes 100 ms for a depth map, under a source that does not wait for it: how the advisor sees it. */
function overrun(advisor: RateAdvisor, depthMaps: number, nowMs = 0): (number | null)[] {
  const advised: (number | null)[] = []
  const accept = () => {
    const advice = advisor.accepted()
    if (advice) advised.push(advice.fps)
  }
  accept()
  for (let n = 1; n <= depthMaps; n++) {
    accept()
    advisor.settled(true, nowMs + n * 100)
  }
  advisor.settled(true, nowMs + (depthMaps + 1) * 100)
  return advised
}

test('a source that is faster than its session is told a little less than what that gives, once', () => {
  const advisor = new RateAdvisor()
  expect(overrun(advisor, 10)).toEqual([9])
})

test('nothing is said before anything was measured, and drops measure nothing', () => {
  const advisor = new RateAdvisor()
  for (let n = 0; n < 10; n++) expect(advisor.accepted()).toBeNull()
  for (let n = 0; n < 9; n++) advisor.settled(false, n)
  expect(advisor.accepted()).toBeNull()
})

test('a source that its session keeps up with is told nothing', () => {
  const advisor = new RateAdvisor()
  for (let n = 0; n < 100; n++) {
    expect(advisor.accepted()).toBeNull()
    advisor.settled(true, n)
  }
})

test('a session that is slowed down again says less, and one that rests says more, up to no limit', () => {
  const advisor = new RateAdvisor()
  overrun(advisor, 10)
  for (let n = 0; n < 40; n++) {
    advisor.accepted()
    advisor.accepted()
    advisor.settled(true, 10_000 + n * 400)
    advisor.settled(true, 10_200 + n * 400)
  }
  const advised: (number | null)[] = []
  for (let n = 0; n < 3000; n++) {
    const advice = advisor.accepted()
    if (advice) advised.push(advice.fps)
    advisor.settled(true, 0)
  }
  expect(advised[0]).toBeLessThan(6)
  expect(advised.at(-1)).toBeNull()
  expect(advised.slice(0, -1)).toEqual(advised.slice(0, -1).toSorted((a, b) => Number(a) - Number(b)))
})

test('what is said is how many frames were on their way, and never a rate of none', () => {
  const advisor = new RateAdvisor()
  advisor.accepted()
  advisor.accepted()
  advisor.accepted()
  advisor.settled(true, 0)
  advisor.settled(true, 1e9)
  expect(advisor.accepted()).toEqual({ fps: 0.1, unsettled: 2 })
})
