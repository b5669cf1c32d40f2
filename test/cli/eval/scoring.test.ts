import { expect, test } from 'vitest'
import { DepthScore } from '../../../src/cli/eval/scoring/depth-score.ts'
import { Deviation } from '../../../src/cli/eval/scoring/deviation.ts'
import { Flicker } from '../../../src/cli/eval/scoring/flicker.ts'
import { LeastSquares } from '../../../src/cli/eval/scoring/least-squares.ts'
import { meanScore } from '../../../src/cli/eval/scoring/mean-score.ts'
import type { ScoredFrame } from '../../../src/cli/eval/scoring/score-sequence.ts'
import { scoreSequence } from '../../../src/cli/eval/scoring/score-sequence.ts'

/** A frame of one row. */
function frame(prediction: number[], truthM: number[]): ScoredFrame {
  const size = { width: prediction.length, height: 1, camera: null }
  return { prediction: Float32Array.from(prediction), truthM: Float32Array.from(truthM), ...size }
}

const sequence = (frames: ScoredFrame[]) =>
  async function* () {
    yield* frames
  }

test('the fit finds scale and shift, and passes over pixels without truth', () => {
  const fit = new LeastSquares()
  // 1/depth = 0.25 * prediction + 0.5: 0.5, 1, 2 per metre.
  fit.add(Float32Array.of(0, 2, 99, 6), Float32Array.of(2, 1, 0, 0.5))
  const { scale, shift } = fit.solve()
  expect([scale, shift]).toEqual([expect.closeTo(0.25, 12), expect.closeTo(0.5, 12)])
})

test('where no line fits, the squares are least', () => {
  const fit = new LeastSquares()
  // Points (0, 1), (1, 1), (2, 4) have the line 1.5 x + 0.5.
  fit.add(Float32Array.of(0, 1, 2), Float32Array.of(1, 1, 0.25))
  const { scale, shift } = fit.solve()
  expect([scale, shift]).toEqual([expect.closeTo(1.5, 12), expect.closeTo(0.5, 12)])
})

test('a constant prediction fits the mean', () => {
  const fit = new LeastSquares()
  fit.add(Float32Array.of(3, 3), Float32Array.of(1, 0.5))
  expect(fit.solve()).toEqual({ scale: 0, shift: 1.5 })
})

test('AbsRel is the mean relative error in metres, delta1 the share within 1.25', () => {
  const score = new DepthScore({ scale: 1, shift: 0 })
  // Depth 1, 2, 0.5 m against 1, 2.5, 1 m, and one pixel without truth: errors 0, 0.2, 0.5; ratios 1, 1.25, 2.
  score.add(Float32Array.of(1, 0.5, 2, 7), Float32Array.of(1, 2.5, 1, 0))
  expect(score.absRel).toBeCloseTo(0.7 / 3, 12)
  expect(score.delta1).toBeCloseTo(2 / 3, 12)
})

test('zero and negative inverse depth are 80 m away', () => {
  const score = new DepthScore({ scale: 1, shift: 0 })
  score.add(Float32Array.of(0, -5, 1 / 100), Float32Array.of(40, 40, 40))
  expect(score.absRel).toBeCloseTo(1, 12)
  expect(score.delta1).toBe(0)
})

test('flicker is the false change over the deviation of the truth', () => {
  const flicker = new Flicker({ scale: 2, shift: 1 })
  // Truth 1, 2 then 2, 2 per metre: median 2, mean deviation 0.25. Fitted 1, 2 then 1.5, 2.5.
  flicker.add(Float32Array.of(0, 0.5), Float32Array.of(1, 0.5))
  flicker.add(Float32Array.of(0.25, 0.75), Float32Array.of(0.5, 0.5))
  // Changes 0.5, 0.5 against 1, 0: mean error 0.5.
  expect(flicker.value).toBeCloseTo(2, 6)
})

test('a pixel that lacks truth in one of two frames does not flicker', () => {
  const flicker = new Flicker({ scale: 1, shift: 0 })
  flicker.add(Float32Array.of(1, 1, 1), Float32Array.of(1, 0, 0.5))
  flicker.add(Float32Array.of(1.5, 9, 9), Float32Array.of(1, 0.5, 0))
  // Truth 1, 2, 1, 2: deviation 0.5; one pixel counts, with error 0.5.
  expect(flicker.value).toBeCloseTo(1, 6)
})

test('the median of an even count is the middle of the two middle values', () => {
  const flicker = new Flicker({ scale: 0, shift: 0 })
  // Truth 1, 2 then 4, 8 per metre: median 3, deviations 2, 1, 1, 5. True motion 3 and 6.
  flicker.add(Float32Array.of(0, 0), Float32Array.of(1, 0.5))
  flicker.add(Float32Array.of(0, 0), Float32Array.of(0.25, 0.125))
  expect(flicker.value).toBeCloseTo(4.5 / 2.25, 12)
})

test('fitting on the first frame shows the drift that the global fit hides', async () => {
  const truth = [1, 0.5, 0.25]
  const frames = sequence([frame([1, 2, 4], truth), frame([2, 4, 8], truth)])
  const first = await scoreSequence(frames, 'first')
  // Frame 1 is twice as near as it should be: relative error 0.5 everywhere.
  expect(first).toMatchObject({ absRel: expect.closeTo(0.5, 6) as number, delta1: 0, frames: 2 })
  const global = await scoreSequence(frames, 'global')
  expect(global?.absRel).toBeLessThan(first?.absRel ?? NaN)
})

test('a metric prediction may be scored as it is, without a fit', async () => {
  // Twice as near as it should be: whatever a fit would make of it, the metres are wrong.
  const wrong = sequence([frame([2, 4], [1, 0.5]), frame([2, 4], [1, 0.5])])
  expect(await scoreSequence(wrong, 'none')).toMatchObject({
    absRel: expect.closeTo(0.5, 6) as number,
    delta1: 0
  })
  expect((await scoreSequence(wrong, 'global'))?.absRel).toBeCloseTo(0, 6)
})

test('frame 0 is not scored, unless there is no other', async () => {
  const perfect = frame([1, 2], [1, 0.5])
  const both = await scoreSequence(sequence([frame([1, 2], [1, 0.5]), perfect]), 'first')
  expect(both).toMatchObject({
    absRel: expect.closeTo(0, 6) as number,
    delta1: 1,
    flicker: expect.closeTo(0, 6) as number
  })
  const wrongFirst = await scoreSequence(sequence([frame([2, 2, 2], [1, 0.5, 0.25]), perfect]), 'first')
  // The first frame fits as the constant 7/3 per metre; frame 1 has 1 and 0.5 m against 3/7 m.
  expect(wrongFirst?.absRel).toBeCloseTo((4 / 7 + 1 / 7) / 2, 6)
  expect(await scoreSequence(sequence([perfect]), 'first')).toMatchObject({
    frames: 1,
    delta1: 1,
    flicker: 0
  })
})

test('the deviation from the median is exact to a millionth, whatever the values', () => {
  const deviation = new Deviation()
  const values = Array.from({ length: 2001 }, (_, i) => 0.01 * 1.003 ** i)
  for (const value of values) deviation.add(value)
  const median = values[1000] ?? NaN
  const exact = values.reduce((sum, value) => sum + Math.abs(value - median), 0) / values.length
  expect(deviation.value / exact).toBeCloseTo(1, 6)
})

test('a sequence without any known depth has no score', async () => {
  expect(await scoreSequence(sequence([frame([1], [0]), frame([2], [0])]), 'global')).toBeNull()
})

test('the mean weighs sequences alike, adds up frames, and leaves out what has no TAE', () => {
  const score = { delta1: 0.5, flicker: 1, firstAbsRel: 0.4, firstDelta1: 0.3, gap: 0.1, truthTae: null }
  const mean = meanScore([
    { ...score, absRel: 0.1, frames: 10, tae: null },
    { ...score, absRel: 0.3, frames: 90, tae: 4 }
  ])
  expect(mean).toEqual({ ...score, absRel: 0.2, frames: 100, tae: 4, sequences: 2 })
})
