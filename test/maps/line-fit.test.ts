import { expect, test } from 'vitest'
import { LineFit } from '../../src/maps/line-fit.ts'

const near = (value: number) => expect.closeTo(value, 12) as number

test('points on a line give the line, whatever they weigh', () => {
  const fit = new LineFit()
  for (const [index, x] of [-1, 0, 2, 5].entries()) fit.add(x, 3 * x - 2, index + 0.5)
  expect(fit.solve()).toEqual({ scale: near(3), shift: near(-2) })
})

test('a pair of weight two counts like two pairs', () => {
  const [once, twice] = [new LineFit(), new LineFit()]
  for (const [x, y] of [
    [0, 1],
    [1, 1],
    [2, 4],
    [2, 4]
  ] as const)
    twice.add(x, y)
  for (const [x, y, weight] of [
    [0, 1, 1],
    [1, 1, 1],
    [2, 4, 2]
  ] as const)
    once.add(x, y, weight)
  expect(once.solve()).toEqual(twice.solve())
})

test('pairs on a line may be added by their moments', () => {
  const [apart, together] = [new LineFit(), new LineFit()]
  const line = { scale: 2, shift: 1 }
  for (const x of [1, 3]) apart.add(x, line.scale * x + line.shift, 5)
  together.addOnLine(line, { mean: 2, variance: 1 }, 10)
  for (const fit of [apart, together]) fit.add(7, 4)
  const { scale, shift } = apart.solve()!
  expect(together.solve()).toEqual({ scale: near(scale), shift: near(shift) })
})

test('where x does not vary, or nothing was added, there is no scale', () => {
  const fit = new LineFit()
  expect([fit.solve(), fit.through(0)]).toEqual([null, { scale: 0, shift: 0 }])
  // A number that float64 does not hold, so that its sums round.
  for (let i = 0; i < 1000; i++) fit.add(0.1, i % 2)
  expect([fit.solve(), fit.through(2)]).toEqual([null, { scale: 2, shift: near(0.3) }])
})
