import { expect, test } from 'vitest'
import { StallClock } from '../../../src/sessions/gateway/replace/stall-clock.ts'

function clock() {
  let nowMs = 0
  const stages: [string, number][] = []
  const meter = { stalled: (stage: string, seconds: number) => void stages.push([stage, seconds]) }
  const stall = new StallClock(meter, () => nowMs)
  return { stall, stages, pass: (seconds: number) => void (nowMs += seconds * 1000) }
}

test('a stall is told in stages, from the last that was heard to the next outcome', () => {
  const { stall, stages, pass } = clock()
  pass(5)
  stall.heard()
  pass(3)
  stall.lost()
  pass(0.25)
  stall.placed()
  pass(0.5)
  stall.outcome()
  stall.outcome()
  expect(stages).toEqual([
    ['detection', 3],
    ['placement', 0.25],
    ['rebuild', 0.5]
  ])
})

test('a worker that is lost before it gave anything adds to the same stall', () => {
  const { stall, stages, pass } = clock()
  pass(3)
  stall.lost()
  pass(1)
  stall.placed()
  pass(2)
  stall.lost()
  pass(1)
  stall.placed()
  pass(1)
  stall.outcome()
  expect(stages).toEqual([
    ['detection', 3],
    ['placement', 1],
    ['rebuild', 2],
    ['placement', 1],
    ['rebuild', 1]
  ])
})
