import { expect, test } from 'vitest'
import { ReplayRing } from '../../src/client/replay-ring.ts'
import { decodeMessage, flags } from '../../src/wire/frame.ts'
import { frameMessage } from '../helpers/stream-client.ts'

const bytes = 100
const frame = (seq: number) => {
  const message = frameMessage(seq, new Uint8Array(bytes - 64)) as Uint8Array<ArrayBuffer>
  return { seq, message }
}

function ringOf(maxFrames: number, maxBytes: number, count: number): ReplayRing {
  const ring = new ReplayRing(maxBytes)
  ring.keep(maxFrames)
  for (let seq = 0; seq < count; seq++) ring.push(frame(seq))
  return ring
}

function replayed(ring: ReplayRing, frames = 100, most = 1e6): number[] {
  const messages = ring.replay({ frames, bytes: most }).map((message) => decodeMessage(message).header)
  expect(messages.every((header) => header.flags === flags.history)).toBe(true)
  return messages.map(({ seq }) => seq)
}

test.each([
  ['the last frames, oldest first', 3, 1e6, [7, 8, 9]],
  ['no more bytes than it may', 9, 250, [8, 9]],
  ['none if it may keep none', 0, 1e6, []]
])('a ring keeps %s', (_what, maxFrames, maxBytes, kept) => {
  expect(replayed(ringOf(maxFrames, maxBytes, 10))).toEqual(kept)
})

test.each([
  [2, 1e6, [8, 9]],
  [9, 350, [7, 8, 9]],
  [9, 50, []]
])('of %d frames and %d bytes asked for, the newest are sent', (frames, most, sent) => {
  expect(replayed(ringOf(5, 1e6, 10), frames, most)).toEqual(sent)
})

test('a new epoch needs nothing of what was before', () => {
  const ring = ringOf(5, 1e6, 10)
  ring.clear()
  ring.push(frame(10))
  expect(replayed(ring)).toEqual([10])
})
