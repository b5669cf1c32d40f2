import { describe, expect, test } from 'vitest'
import { after, expectedDepth, faded, noLine } from '../../../../bench/faults/picture.ts'
import type { Line } from '../../../../bench/faults/picture.ts'
import type { Entry } from '../../../../bench/faults/record.ts'
import { session, breachesOf, opened, sent, past, results } from './runs.ts'
import type { Part } from './runs.ts'

describe('I4 and I5, what a cache has seen', () => {
  const ten = Array.from({ length: 10 }, (_, seq) => seq)
  const told = (entries: Part<Entry>[]): unknown =>
    breachesOf({ sessions: [session('a', [opened, ...sent(...ten, 10, 11), ...entries])] })
  const recovered = (
    continuity: 'exact' | 'rebuilt' | 'new',
    epoch = 2,
    alignment: Line | undefined = noLine
  ): Part<Entry> => ({ ...{ type: 'recovered', seq: 10, epoch }, continuity, alignment })

  test('a frame of another session', () => {
    const foreign = past('b', [7])
    const depth = expectedDepth(after(foreign, 'a', 10))
    expect(told([...results('a', ten), { type: 'result', seq: 10, epoch: 1, depth }])).toEqual([
      { invariant: 'I4', seq: 10 }
    ])
  })

  test('a frame that the cache has not seen, and nothing was said', () => {
    const before = ten.filter((seq) => seq !== 4)
    expect(told([...results('a', ten), ...results('a', [10, 11], { before })])).toEqual([
      { invariant: 'I5', seq: 10 }
    ])
  })

  test('a cache made anew from the last frames that is called exact', () => {
    const rest = results('a', [10, 11], { before: [7, 8, 9] })
    expect(told([...results('a', ten), recovered('exact', 1), ...rest])).toEqual([
      { invariant: 'I5', seq: 10 }
    ])
  })

  test('one that is called rebuilt', () => {
    const rest = results('a', [10, 11], { before: [7, 8, 9], epoch: 2 })
    expect(told([...results('a', ten), recovered('rebuilt'), ...rest])).toEqual([])
  })

  test('one that is joined to what was shown before, at once or one frame later', () => {
    const line = { scale: 1.4, offset: -0.2 }
    for (const first of [line, faded(line)]) {
      const rest = results('a', [10, 11], { before: [7, 8, 9], epoch: 2, line: first })
      expect(told([...results('a', ten), recovered('rebuilt', 2, line), ...rest])).toEqual([])
    }
  })

  test('one that is joined by a line so slight that it could be the one a frame on', () => {
    const line = { scale: 1.0142, offset: 0.0002 }
    for (const first of [line, faded(line)]) {
      const rest = results('a', [10, 11], { before: [7, 8, 9], epoch: 2, line: first })
      expect(told([...results('a', ten), recovered('rebuilt', 2, line), ...rest])).toEqual([])
    }
  })

  test('one that stops being joined', () => {
    const line = { scale: 1.4, offset: -0.2 }
    const one = results('a', [10], { before: [7, 8, 9], epoch: 2, line })
    const rest = results('a', [11], { before: [7, 8, 9, 10], epoch: 2 })
    expect(told([...results('a', ten), recovered('rebuilt', 2, line), ...one, ...rest])).toEqual([
      { invariant: 'I5', seq: 11 }
    ])
  })

  test('a depth map of another picture', () => {
    const foreign: Part<Entry> = { type: 'result', seq: 10, epoch: 1, depth: 'foreign' }
    expect(told([...results('a', ten), foreign])).toEqual([{ invariant: 'I4', seq: 10 }])
  })

  test('one that saw the frames in another order', () => {
    const rest = results('a', [10, 11], { before: [7, 9, 8], epoch: 2 })
    expect(told([...results('a', ten), recovered('rebuilt'), ...rest])).toEqual([
      { invariant: 'I4', seq: 10 }
    ])
  })

  test('one that keeps a past which is said to be forgotten', () => {
    const rest = results('a', [10], { before: ten, epoch: 2 })
    expect(told([...results('a', ten), recovered('new'), ...rest])).toEqual([{ invariant: 'I4', seq: 10 }])
  })

  test('an epoch that begins without a word', () => {
    expect(told([...results('a', ten), ...results('a', [10], { epoch: 2 })])).toEqual([
      { invariant: 'I5', seq: 10 }
    ])
  })

  test('an exact recovery with another epoch', () => {
    expect(told([...results('a', ten), recovered('exact', 2)])).toEqual([{ invariant: 'I5', seq: 10 }])
  })

  test('a frame that was dropped may have been seen or not', () => {
    const dropped: Part<Entry> = { type: 'drop', seq: 10, reason: 'superseded' }
    expect(told([...results('a', ten), dropped, ...results('a', [11], { before: ten })])).toEqual([])
    expect(told([...results('a', ten), dropped, ...results('a', [11], { before: [...ten, 10] })])).toEqual([])
  })

  test('the digest of a resumed session is that of a state which its cache was in', () => {
    const resumed = (digest: Buffer): Part<Entry> => ({
      ...{ type: 'resumed', continuity: 'exact', epoch: 1, after: 10 },
      digest: digest.toString('hex', 0, 16)
    })
    const rest = results('a', [10, 11], { before: ten })
    const more = [...sent(12), ...results('a', [12], { before: [...ten, 10, 11] })]
    const { digest } = past('a', [...ten, 10])
    expect(told([...results('a', ten), resumed(digest), ...rest, ...more])).toEqual([])
    const wrong = past('a', ten.slice(1)).digest
    expect(told([...results('a', ten), resumed(wrong), ...rest, ...more])).toEqual([
      { invariant: 'I5', seq: 12 }
    ])
  })

  test('the digest that a flush tells is that of the depth maps before it', () => {
    const flushed = (digest: Buffer): Part<Entry> => ({
      type: 'flushed',
      digest: { epoch: 1, hex: digest.toString('hex', 0, 16) }
    })
    expect(told([...results('a', ten), flushed(past('a', ten).digest)])).toEqual([])
    expect(told([...results('a', ten), flushed(past('a', [1]).digest)])).toEqual([
      { invariant: 'I5', seq: null }
    ])
  })
})
