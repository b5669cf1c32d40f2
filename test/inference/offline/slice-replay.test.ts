import { expect, test } from 'vitest'
import { SliceReplay } from '../../../src/inference/offline/slice-replay.ts'

const slices = [
  { slot: 0, stage: 0, place: 0, places: new Int32Array(0) },
  { slot: 1, stage: 0, place: 1, places: new Int32Array(0) },
  { slot: 0, stage: 1, place: 0, places: new Int32Array(0) }
]

function afterLoss(keepsFrames: boolean): number[] {
  const replay = new SliceReplay({ keepsFrames })
  for (const slice of slices) replay.record(slice)
  expect(replay.next()).toBeNull()
  replay.lose()
  const stages: number[] = []
  for (let next = replay.next(); next; next = replay.next()) {
    stages.push(next.stage)
    replay.advance()
  }
  return stages
}

test('after a loss the slices of the window run again, in their order', () => {
  expect(afterLoss(true)).toEqual([0, 0, 1])
})

test('where no frames may be kept, none are', () => {
  expect(afterLoss(false)).toEqual([])
})
