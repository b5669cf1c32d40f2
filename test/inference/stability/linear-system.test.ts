import fc from 'fast-check'
import { expect, test } from 'vitest'
import { solveLinear } from '../../../src/inference/stability/linear-system.ts'

test('the solution of a well-posed system satisfies it', () => {
  const entry = fc.double({ min: -1, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 16, maxLength: 16 }),
      fc.array(entry, { minLength: 4, maxLength: 4 }),
      (entries, target) => {
        // A dominant diagonal, which no rounding makes singular.
        const matrix = entries.map((value, i) => (i % 5 === 0 ? 5 + value : value))
        const found = solveLinear(matrix, target)
        for (const [row, wanted] of target.entries()) {
          const sum = found.reduce((total, x, column) => total + x * matrix[row * 4 + column]!, 0)
          expect(sum).toBeCloseTo(wanted, 9)
        }
      }
    )
  )
})

test('a zero on the diagonal is no obstacle, and what is not determined is 0', () => {
  expect(solveLinear([0, 2, 4, 0], [6, 8])).toEqual([2, 3])
  expect(solveLinear([2, 0, 0, 0], [6, 0])).toEqual([3, 0])
})
