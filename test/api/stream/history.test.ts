import { expect, test } from 'vitest'
import { History } from '../../../src/api/stream/history.ts'
import { flags } from '../../../src/wire/frame.ts'
import { greyFrame } from '../../helpers/stream-client.ts'

const limits = { maxPixels: 100 }

function past(seq: number): Uint8Array {
  const message = greyFrame(seq, 4, 2)
  new DataView(message.buffer).setUint16(6, flags.history, true)
  return message
}

function history(wanted: { frames?: number; bytes?: number } = {}) {
  const given: number[][] = []
  const give = (frames: readonly { header: { seq: number } }[]) =>
    void given.push(frames.map(({ header }) => header.seq))
  return { given, history: new History({ frames: 3, bytes: 1000, ...wanted, give }, limits) }
}

test('what a client has of the past is given in one piece, oldest first', () => {
  const { given, history: asked } = history()
  expect([3, 5, 9].map((seq) => asked.take(past(seq)))).toEqual([true, true, true])
  asked.give()
  expect(given).toEqual([[3, 5, 9]])
})

test('a client may have nothing', () => {
  const { given, history: asked } = history()
  asked.give()
  expect(given).toEqual([[]])
})

test('a frame without the flag is none of the past', () => {
  expect(history().history.take(greyFrame(1, 4, 2))).toBe(false)
})

test.each([
  ['more frames than asked for', 'FLOW_CONTROL', { frames: 1 }, [past(0), past(1)]],
  ['more bytes than asked for', 'FLOW_CONTROL', { bytes: 100 }, [past(0), past(1)]],
  ['a frame that is not younger', 'FRAME_OUT_OF_ORDER', {}, [past(1), past(1)]],
  ['a frame that can have had no depth', 'FRAME_MALFORMED', {}, [past(0).subarray(0, 64)]],
  ['no frame', 'FRAME_MALFORMED', {}, [new Uint8Array(3)]]
])('%s ends the stream with %s', (_what, code, wanted, messages) => {
  const { given, history: asked } = history(wanted)
  expect(() => messages.forEach((message) => asked.take(message))).toThrow(
    expect.objectContaining({ code }) as Error
  )
  expect(given).toEqual([])
})
