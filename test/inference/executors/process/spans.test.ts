import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Spans } from '../../../../src/inference/executors/process/spans.ts'
import type { Span } from '../../../../src/inference/executors/process/spans.ts'

test('the lowest bytes are used again, at multiples of a cache line', () => {
  const spans = new Spans(1000)
  const [a, b, c] = [spans.take(10), spans.take(100), spans.take(1)]
  expect([a, b, c].map((span) => span?.offset)).toEqual([0, 64, 192])
  spans.give(b!)
  expect(spans.take(65)).toEqual({ offset: 64, length: 65 })
  spans.give(a!)
  expect(spans.take(64)).toEqual({ offset: 0, length: 64 })
})

test('what does not fit is refused, and fits when something was given back', () => {
  const spans = new Spans(128)
  const first = spans.take(100)!
  expect(spans.take(64)).toBeNull()
  spans.give(first)
  spans.give(first)
  expect(spans.take(128)).toEqual({ offset: 0, length: 128 })
  expect(spans.take(1)).toBeNull()
})

test('no two spans ever overlap or pass the end', () => {
  const step = fc.record({ length: fc.integer({ min: 1, max: 400 }), gives: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const spans = new Spans(1500)
      const live: Span[] = []
      for (const { length, gives } of steps) {
        const span = spans.take(length)
        if (span) live.push(span)
        const sorted = live.toSorted((a, b) => a.offset - b.offset)
        for (const [i, { offset, length: taken }] of sorted.entries())
          expect(offset + taken).toBeLessThanOrEqual(sorted[i + 1]?.offset ?? 1500)
        if (gives < live.length) spans.give(live.splice(gives, 1)[0]!)
      }
      for (const span of live) spans.give(span)
      expect(spans.take(1500)).not.toBeNull()
    })
  )
})
