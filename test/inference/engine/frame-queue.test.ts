import { expect, test } from 'vitest'
import { FrameQueue } from '../../../src/inference/engine/frame-queue.ts'

const pending = { seq: null }

function frontFrame(line: FrameQueue<string>): string | null {
  const front = line.front()
  return front?.kind === 'frame' ? front.frame : null
}

test('lossless: frames leave in the order they came, whichever is decoded first', () => {
  const line = new FrameQueue<string>('lossless')
  for (const frame of ['a', 'b', 'c']) expect(line.add(frame)).toEqual([])
  expect([line.nextToDecode(), line.nextToDecode(), line.nextToDecode()]).toEqual(['a', 'b', null])
  expect(line.decoded('b', 'ready')).toEqual([])
  expect(line.front()).toBeNull()
  expect(line.decoded('a', 'ready')).toEqual([])
  expect(frontFrame(line)).toBe('a')
  line.advance()
  expect(line.nextToDecode()).toBe('c')
  expect(frontFrame(line)).toBe('b')
})

test('lossless: a frame that failed to decode holds nobody up', () => {
  const line = new FrameQueue<string>('lossless')
  line.add('a')
  line.add('b')
  line.nextToDecode()
  line.nextToDecode()
  line.decoded('b', 'ready')
  line.decoded('a', 'failed')
  expect(frontFrame(line)).toBe('b')
})

test('latest: one raw frame waits, a newer one takes its place', () => {
  const line = new FrameQueue<string>('latest')
  line.add('a')
  line.nextToDecode()
  line.add('b')
  line.nextToDecode()
  expect(line.add('c')).toEqual([])
  expect(line.add('d')).toEqual(['c'])
})

test('latest: a ready frame supersedes all before it, even those still decoding', () => {
  const line = new FrameQueue<string>('latest')
  line.add('a')
  line.nextToDecode()
  line.add('b')
  line.nextToDecode()
  expect(line.decoded('b', 'ready')).toEqual(['a'])
  expect(line.decoded('a', 'ready')).toEqual([])
  expect(frontFrame(line)).toBe('b')
})

test('latest: frames that come faster than they decode still get through', () => {
  const line = new FrameQueue<string>('latest')
  line.add('a')
  expect(line.nextToDecode()).toBe('a')
  for (const frame of ['b', 'c', 'd']) line.add(frame)
  expect(line.decoded('a', 'ready')).toEqual([])
  expect(frontFrame(line)).toBe('a')
})

test('latest: a failed decode supersedes nothing', () => {
  const line = new FrameQueue<string>('latest')
  line.add('a')
  line.nextToDecode()
  line.add('b')
  line.nextToDecode()
  line.decoded('a', 'ready')
  expect(line.decoded('b', 'failed')).toEqual([])
  expect(frontFrame(line)).toBe('a')
})

test('a stop stays between the frames it separates', () => {
  const line = new FrameQueue<string>('lossless')
  line.add('a')
  line.addStop(pending)
  line.add('b')
  line.nextToDecode()
  line.nextToDecode()
  line.decoded('a', 'ready')
  line.decoded('b', 'ready')
  expect(frontFrame(line)).toBe('a')
  line.advance()
  expect(line.front()).toMatchObject({ kind: 'stop', pending })
  line.advance()
  expect(frontFrame(line)).toBe('b')
})

test('never more than two decodes run, not even of frames that have left', () => {
  const line = new FrameQueue<string>('latest')
  line.add('slow')
  line.nextToDecode()
  line.add('quick')
  line.nextToDecode()
  line.decoded('quick', 'ready')
  line.add('next')
  expect(line.nextToDecode()).toBe('next')
  line.decoded('next', 'ready')
  line.add('a')
  expect(line.nextToDecode()).toBe('a')
  line.add('b')
  expect(line.nextToDecode()).toBeNull()
})
