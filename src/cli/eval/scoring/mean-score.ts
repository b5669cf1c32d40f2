import type { SequenceScore } from './score-sequence.ts'

export type DatasetScore = SequenceScore & { sequences: number }

/**
 * A data set's score: the plain mean of its sequences, long ones weighing no more than short ones, as in the benchmarks
 * of oVDA and VDA. `frames` is their sum; `tae` the mean of those that have it.
 */
export function meanScore(scores: readonly SequenceScore[]): DatasetScore {
  const known = (field: keyof SequenceScore) =>
    scores.map((score) => score[field]).filter((value) => value !== null)
  const mean = (field: keyof SequenceScore) => sum(known(field)) / known(field).length
  const meanOrNull = (field: 'tae' | 'truthTae') => (known(field).length === 0 ? null : mean(field))
  return {
    ...{ absRel: mean('absRel'), delta1: mean('delta1'), flicker: mean('flicker') },
    ...{ frames: sum(known('frames')) },
    ...{ firstAbsRel: mean('firstAbsRel'), firstDelta1: mean('firstDelta1'), gap: mean('gap') },
    ...{ tae: meanOrNull('tae'), truthTae: meanOrNull('truthTae'), sequences: scores.length }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
