import { expect, test } from 'vitest'
import { growthOf, isFlat } from '../../../bench/soak/flat.ts'

const tolerance = { share: 0.1, atLeast: { 'RSS, MiB': 10, keys: 5 } }

function flatness(values: readonly number[], name: string): boolean {
  return growthOf(
    values.map((value) => ({ [name]: value })),
    tolerance
  ).every(isFlat)
}

const steps = Array.from({ length: 40 }, (_, i) => i)

test('what grows all the time is not flat', () => {
  expect(
    flatness(
      steps.map((i) => 100 + i),
      'gateway RSS, MiB'
    )
  ).toBe(false)
  expect(
    flatness(
      steps.map((i) => i),
      'Redis keys'
    )
  ).toBe(false)
})

test('what fills up in the beginning, or goes up and down, is flat', () => {
  expect(
    flatness(
      steps.map((i) => Math.min(150, 100 + 10 * i)),
      'gateway RSS, MiB'
    )
  ).toBe(true)
  expect(
    flatness(
      steps.map((i) => 20 + (i % 7)),
      'Redis keys'
    )
  ).toBe(true)
})

test('a little more of a large measure is allowed, and a little more of a small one', () => {
  expect(
    flatness(
      steps.map((i) => 1000 + i),
      'gateway RSS, MiB'
    )
  ).toBe(true)
  expect(
    flatness(
      steps.map((i) => (i < 20 ? 1 : 4)),
      'Redis keys'
    )
  ).toBe(true)
  expect(
    flatness(
      steps.map((i) => (i < 20 ? 1 : 9)),
      'Redis keys'
    )
  ).toBe(false)
})
