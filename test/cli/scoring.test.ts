import { expect, test } from 'vitest'
import { DepthScore } from '../../src/cli/eval/depth-score.ts'
import { Flicker } from '../../src/cli/eval/flicker.ts'
import { LeastSquares } from '../../src/cli/eval/least-squares.ts'
import type { ScoredFrame } from '../../src/cli/eval/score-sequence.ts'
import { scoreSequence } from '../../src/cli/eval/score-sequence.ts'

function frame(prediction: number[], truthMm: number[]): ScoredFrame {
  return { prediction: Float32Array.from(prediction), truthMm: Uint16Array.from(truthMm) }
}

const sequence = (frames: ScoredFrame[]) =>
  async function* () {
    yield* frames
  }

test('the fit finds scale and shift, and passes over pixels without truth', () => {
  const fit = new LeastSquares()
  // 1/depth = 0.25 * prediction + 0.5: 0.5, 1, 2 per metre.
  fit.add(Float32Array.of(0, 2, 99, 6), Uint16Array.of(2000, 1000, 0, 500))
  const { scale, shift } = fit.solve()
  expect([scale, shift]).toEqual([expect.closeTo(0.25, 12), expect.closeTo(0.5, 12)])
})

test('where no line fits, the squares are least', () => {
  const fit = new LeastSquares()
  // Points (0, 1), (1, 1), (2, 4) have the line 1.5 x + 0.5.
  fit.add(Float32Array.of(0, 1, 2), Uint16Array.of(1000, 1000, 250))
  const { scale, shift } = fit.solve()
  expect([scale, shift]).toEqual([expect.closeTo(1.5, 12), expect.closeTo(0.5, 12)])
})

test('a constant prediction fits the mean', () => {
  const fit = new LeastSquares()
  fit.add(Float32Array.of(3, 3), Uint16Array.of(1000, 500))
  expect(fit.solve()).toEqual({ scale: 0, shift: 1.5 })
})

test('AbsRel is the mean relative error in metres, delta1 the share within 1.25', () => {
  const score = new DepthScore({ scale: 1, shift: 0 })
  // Depth 1, 2, 0.5 m against 1, 2.5, 1 m, and one pixel without truth: errors 0, 0.2, 0.5; ratios 1, 1.25, 2.
  score.add(Float32Array.of(1, 0.5, 2, 7), Uint16Array.of(1000, 2500, 1000, 0))
  expect(score.absRel).toBeCloseTo(0.7 / 3, 12)
  expect(score.delta1).toBeCloseTo(2 / 3, 12)
})

test('zero and negative inverse depth are 80 m away', () => {
  const score = new DepthScore({ scale: 1, shift: 0 })
  score.add(Float32Array.of(0, -5, 1 / 100), Uint16Array.of(40_000, 40_000, 40_000))
  expect(score.absRel).toBeCloseTo(1, 12)
  expect(score.delta1).toBe(0)
})

test('flicker is the false change over the deviation of the truth', () => {
  const flicker = new Flicker({ scale: 2, shift: 1 })
  // Truth 1, 2 then 2, 2 per metre: median 2, mean deviation 0.25. Fitted 1, 2 then 1.5, 2.5.
  flicker.add(Float32Array.of(0, 0.5), Uint16Array.of(1000, 500))
  flicker.add(Float32Array.of(0.25, 0.75), Uint16Array.of(500, 500))
  // Changes 0.5, 0.5 against 1, 0: mean error 0.5.
  expect(flicker.value).toBeCloseTo(2, 6)
})

test('a pixel that lacks truth in one of two frames does not flicker', () => {
  const flicker = new Flicker({ scale: 1, shift: 0 })
  flicker.add(Float32Array.of(1, 1, 1), Uint16Array.of(1000, 0, 500))
  flicker.add(Float32Array.of(1.5, 9, 9), Uint16Array.of(1000, 500, 0))
  // Truth 1, 2, 1, 2: deviation 0.5; one pixel counts, with error 0.5.
  expect(flicker.value).toBeCloseTo(1, 6)
})

test('the median of an even count is the middle of the two middle values', () => {
  const flicker = new Flicker({ scale: 0, shift: 0 })
  // Truth 1, 2 then 4, 8 per metre: median 3, deviations 2, 1, 1, 5. True motion 3 and 6.
  flicker.add(Float32Array.of(0, 0), Uint16Array.of(1000, 500))
  flicker.add(Float32Array.of(0, 0), Uint16Array.of(250, 125))
  expect(flicker.value).toBeCloseTo(4.5 / 2.25, 12)
})

test('fitting on the first frame shows the drift that the global fit hides', async () => {
  const truth = [1000, 500, 250]
  const frames = sequence([frame([1, 2, 4], truth), frame([2, 4, 8], truth)])
  const first = await scoreSequence(frames, 'first')
  // Frame 1 is twice as near as it should be: relative error 0.5 everywhere.
  expect(first).toMatchObject({ absRel: expect.closeTo(0.5, 6) as number, delta1: 0, frames: 2 })
  const global = await scoreSequence(frames, 'global')
  expect(global.absRel).toBeLessThan(first.absRel)
})

test('frame 0 is not scored, unless there is no other', async () => {
  const perfect = frame([1, 2], [1000, 500])
  const both = await scoreSequence(sequence([frame([1, 2], [1000, 500]), perfect]), 'first')
  expect(both).toMatchObject({
    absRel: expect.closeTo(0, 6) as number,
    delta1: 1,
    flicker: expect.closeTo(0, 6) as number
  })
  const wrongFirst = await scoreSequence(sequence([frame([2, 2, 2], [1000, 500, 250]), perfect]), 'first')
  // The first frame fits as the constant 7/3 per metre; frame 1 has 1 and 0.5 m against 3/7 m.
  expect(wrongFirst.absRel).toBeCloseTo((4 / 7 + 1 / 7) / 2, 6)
  expect(await scoreSequence(sequence([perfect]), 'first')).toMatchObject({
    frames: 1,
    delta1: 1,
    flicker: 0
  })
})
