import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OutcomeOrder } from '../../src/sessions/outcome-order.ts'
import type { FrameOutcome } from '../../src/sessions/sessions.ts'

const drop = (seq: number): FrameOutcome => ({ type: 'drop', seq, reason: 'superseded' })

test('each accepted frame gets one outcome, in the order of seq, however they are made', () => {
  const shuffled = fc.integer({ min: 1, max: 20 }).chain((count) =>
    fc.record({
      order: fc.shuffledSubarray([...Array(count).keys()], { minLength: 0, maxLength: count }),
      count: fc.constant(count)
    })
  )
  fc.assert(
    fc.property(shuffled, ({ order, count }) => {
      const told: FrameOutcome[] = []
      const outcomes = new OutcomeOrder((outcome) => told.push(outcome))
      for (let seq = 0; seq < count; seq++) outcomes.accept(seq)
      for (const seq of order) {
        expect(outcomes.put(drop(seq))).toBe(true)
        expect(outcomes.put(drop(seq))).toBe(false)
        expect(told.map((outcome) => outcome.seq)).toEqual([...told.keys()])
      }
      outcomes.finish((seq) => ({ type: 'drop', seq, reason: 'closed' }))
      expect(told.map((outcome) => outcome.seq)).toEqual([...Array(count).keys()])
      const made = told.filter((outcome) => outcome.type === 'drop' && outcome.reason === 'superseded')
      expect(made.map((outcome) => outcome.seq)).toEqual(order.toSorted((a, b) => a - b))
    })
  )
})

test('a frame that was never accepted gets none', () => {
  const outcomes = new OutcomeOrder(() => expect.fail('nobody is to be told'))
  expect(outcomes.put(drop(1))).toBe(false)
  outcomes.finish(() => expect.fail('there is none'))
})
