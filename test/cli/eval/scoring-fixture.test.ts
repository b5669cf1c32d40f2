import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { known } from '../../../src/cli/eval/datasets/depth-png.ts'
import type { ScoredFrame } from '../../../src/cli/eval/scoring/score-sequence.ts'
import { scoreSequence } from '../../../src/cli/eval/scoring/score-sequence.ts'

interface Fixture {
  /** Frames of rows. */
  prediction: number[][][]
  depthM: number[][][]
  first: { absRel: number; delta1: number }
  global: { absRel: number; delta1: number }
  flicker: number
}

const file = new URL('../../fixtures/scoring.json', import.meta.url)

// models/tests/test_scoring_fixture.py wrote the figures, and holds the training's scoring to them.
test.each(['first', 'global'] as const)(
  'a sequence scores as in training, with the fit "%s"',
  async (fit) => {
    const fixture = JSON.parse(await readFile(file, 'utf8')) as Fixture
    const frames = fixture.depthM.map((rows, t): ScoredFrame => ({
      prediction: Float32Array.from(fixture.prediction[t]?.flat() ?? []),
      truthM: known(Float32Array.from(rows.flat()), 80),
      ...{ width: rows[0]?.length ?? 0, height: rows.length, camera: null }
    }))
    async function* sequence() {
      yield* frames
    }
    const score = await scoreSequence(sequence, fit)
    expect(score?.absRel).toBeCloseTo(fixture[fit].absRel, 6)
    expect(score?.delta1).toBeCloseTo(fixture[fit].delta1, 12)
    expect(score?.flicker).toBeCloseTo(fixture.flicker, 5)
    expect(score?.gap).toBeCloseTo(fixture.first.absRel - fixture.global.absRel, 6)
  }
)
