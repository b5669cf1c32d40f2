import { expect, test } from 'vitest'
import {
  after,
  expectedDepth,
  isDepth,
  noLine,
  noPast,
  picture,
  pictureSize,
  readDepth
} from '../../../bench/faults/picture.ts'
import { expectedDepths } from '../../../src/inference/executors/fake/fake.ts'
import { isBlank } from '../../../src/inference/stability/blank-frame.ts'
import { frameGrid } from '../../../src/inference/stability/frame-grid.ts'

test('no picture is blank, and no two are alike', () => {
  const pictures = Array.from({ length: 500 }, (_, seq) => picture(`c${seq % 3}`, seq))
  expect(pictures.filter((rgb) => isBlank(frameGrid(rgb, pictureSize)))).toEqual([])
  expect(new Set(pictures.map((rgb) => Buffer.from(rgb).toString('base64'))).size).toBe(500)
})

test('what is read off a depth map of the fake executor is what its frames make of it, joined or not', () => {
  const seqs = [0, 1, 2, 3]
  const maps = expectedDepths(
    seqs.map((seq) => picture('c', seq)),
    { mode: 'ovda', ...pictureSize }
  )
  let past = noPast
  for (const seq of seqs) {
    past = after(past, 'c', seq)
    const map = maps[seq]!
    const depth = readDepth(new Uint8Array(map.buffer), 'c', seq)!
    expect(isDepth(depth, expectedDepth(past), noLine)).toBe(true)
    expect(isDepth(depth, expectedDepth(after(past, 'c', seq)), noLine)).toBe(false)
    const line = { scale: 1.3, offset: -0.4 }
    const joined = readDepth(new Uint8Array(map.map((value) => value * 1.3 - 0.4).buffer), 'c', seq)!
    expect(isDepth(joined, expectedDepth(past), line)).toBe(true)
    const low = { scale: 1, offset: -1 }
    const cut = readDepth(new Uint8Array(map.map((value) => Math.max(0, value - 1)).buffer), 'c', seq)!
    expect(isDepth(cut, expectedDepth(past), low)).toBe(true)
    expect(readDepth(new Uint8Array(map.buffer), 'd', seq)).toBeNull()
  }
})
