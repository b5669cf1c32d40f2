import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameGate } from '../../../src/api/stream/frame-gate.ts'
import { readMessage } from '../../../src/api/stream/messages.ts'
import { LeadlineError } from '../../../src/errors.ts'
import { greyFrame } from '../../helpers/stream-client.ts'

/** Runs it and swallows a named failure; anything else fails the test. */
function refusable(action: () => void): void {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(LeadlineError)
  }
}

test('a frame with any bytes changed, cut or added is taken or refused by name', () => {
  const frame = greyFrame(3, 4, 2)
  const changes = fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { maxLength: 8 })
  fc.assert(
    fc.property(changes, fc.nat(frame.length + 20), (bytes, length) => {
      const message = new Uint8Array(length)
      message.set(frame.subarray(0, length))
      for (const [at, value] of bytes) if (at < length) message[at] = value
      const gate = new FrameGate({ delivery: 'latest', maxInFlight: 4, limits: { maxPixels: 1000 } })
      refusable(() => gate.judge(message, 0))
    }),
    { numRuns: 2000 }
  )
})

test('any text is a message or refused by name', () => {
  const messages = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom('config', 'credit', 'flush', 'close'),
        id: fc.jsonValue(),
        output: fc.jsonValue(),
        results: fc.jsonValue()
      })
      .map((message) => JSON.stringify(message))
  )
  fc.assert(
    fc.property(messages, (text) => refusable(() => readMessage(Buffer.from(text)))),
    { numRuns: 2000 }
  )
})
